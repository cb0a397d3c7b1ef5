// Package configs reads the one file that tells Holdfast what to do, and holds every example of it.
//
// Its promise: a file is either wholly right or refused with every fault at once, each on one line that names the
// file, the key, the value and what is allowed. Nothing is ignored: an unknown key is a fault, so that a misspelt
// limit cannot silently be the default.
//
// Invariant: a Config returned by Load or Parse without an error has passed Validate; every field holds a usable
// value, given in the file or taken from Default.
package configs
