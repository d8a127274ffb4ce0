// Package training is the language of Countersign: what a completion is, how it
// is identified, the states of a training record, what can go wrong and what a
// person may decide. Everything else speaks it; it imports the standard library
// only and does no input or output.
package training
