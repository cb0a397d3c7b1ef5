// Package chaos breaks real Redis servers and the built holdfast binary again and again, in an order that a seed decides,
// while clients of many kinds record what they were told, and compares these histories with what the surviving servers hold.
//
// A run is a list of cycles on long-lived rigs: steady load, one fault, service again, every node healed, both nodes equal,
// then judgement. Each cycle writes under keys of its own, so that its history is checked as a whole and then forgotten.
//
// Invariant: what a cycle checked has a verdict for each of I1 to I24 that applies to one proxy, and a loss that no receipt
// declared, a duplicate, a hang or a wrong reply fails the run.
package chaos
