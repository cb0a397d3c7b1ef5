package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// widthDefault is assumed where the terminal does not tell, and in pipes: the width every terminal has at least.
const widthDefault = 80

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// terminalWidth returns the columns of w, never fewer than 40, below which no table is readable anyway.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return widthDefault
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return widthDefault
	}
	return max(int(size.Col), 40)
}

// wantsColor is true on a terminal unless NO_COLOR is set to anything.
func wantsColor(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }
