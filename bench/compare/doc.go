// Package compare commits the same faults on the same servers behind what people use today and behind Holdfast, and counts
// what an application notices.
//
// The promise: every contender of a run gets the same servers, the same clients with the same settings, the same schedule of
// requests and the same faults, one after the other; where another one is better than Holdfast, the report says so in words.
//
// The clients are a library as applications use it (go-redis, as it comes, one connection for each client) and no model of
// one. Half of them give up at the first failure and half retry as the library does by default, in the same scene.
//
// Invariant: each request is in one of four states in the end: acknowledged, refused, unknown or hung; the final master is
// read, and each acknowledged write that it does not have is lost, each that it has twice a duplicate.
package compare
