// Package reconcile compares what an LMS, our journal and the QMS say about the same completions (R143):
// the rules that find a training.Mismatch, the files that stand for an LMS without a listing, and the
// report in text, HTML and CSV (R144). It reads and writes nothing: package
// activities walks the data and reads statements back, package journal keeps what is found.
package reconcile
