// Command bench measures how fast a Countersign is, and against what:
//
//	go run ./bench                          everything, on both databases: about an hour
//	go run ./bench -short                   small sizes, few rounds: that everything is measured
//	go run ./bench -only acks,commits       some rows
//	go run ./bench -database sqlite -json   one database; JSON instead of Markdown
//
// Each row divides a figure by that of a stub which was measured in the same run, in turns with it:
// what a machine does to one it does to the other. The table goes to standard output and is that of
// docs/performance.md, which also says what the words mean; what happens meanwhile goes to standard
// error.
//
// Acknowledgements (acks, commits, flushes, spike) are measured with ingress, stubs and sender
// in this process. What is about the whole (plain, best, events, cpu, backlog, meanwhile, waiting)
// runs the real starter, worker and Temporal server as children; QMS and LRS are simulators in
// this process, which answer at once, and the processor time they take is their cost to the rate of
// the product, not to that of the stubs. The engines of the row "engines" are the nested module
// bench/engines: it is built when the row is asked for, and run as a child too.
package main
