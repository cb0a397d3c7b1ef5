// Package admin is the HTTP face of a running Holdfast: it shows the pools and passes an operator's orders on.
//
// The promise: what the API shows is one consistent copy of what the daemon believes, and an order is answered only when it
// is done, refused or out of time. A refusal says which rule refused it and that nothing was changed.
//
// The invariant: nothing a GET does changes any state, and no order is passed on unless its sender passed every check in
// guard.go. The package holds no opinion of its own about pools; it declares Source and Operator, and the daemon provides them.
package admin
