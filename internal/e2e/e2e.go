// Package e2e holds the end-to-end tests: the real starter and worker as processes, a real
// Temporal server, a real journal, and the QMS, LRS and mail server over real sockets. What is
// asserted is counted by the other side, not by us. There is nothing here but tests.
package e2e
