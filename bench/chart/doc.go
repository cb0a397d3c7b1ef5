// Package chart writes a report as one HTML page with tables and charts.
//
// The promise: the page is one file that shows the same everywhere and for ever. Script, style and numbers are inside it, and
// it asks no network for anything.
//
// Invariant: each series of a chart has as many values as the chart has places, a missing one being null.
package chart
