// Package testbed is what the tests of this repository stand on: the binary under test, and the proof that a package's tests
// left nothing running.
//
// The promise: a test package whose TestMain ends with Run fails when a goroutine or a child process outlives its tests. Only
// tests import it.
package testbed
