//go:build ignore

// Package main is, file by file, what applications do with foreign client libraries. The programs in Go are built in a module of their
// own when a suite is run, so that their libraries are no dependencies of Holdfast; the build tag keeps them out of its packages.
//
// Invariant: each scenario is the only writer of its keys, so that every reply can be checked against what it remembers.
package main
