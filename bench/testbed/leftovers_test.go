package testbed

import (
	"os"
	"os/exec"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func TestGoroutineIsFound(t *testing.T) {
	before := len(goroutines())
	release, ended := make(chan struct{}), make(chan struct{})
	go stay(release, ended) // awaited below
	if err := quiet(before); err == nil {
		t.Error("the goroutine that stays was not found")
	}
	close(release)
	<-ended
	if err := settled(before); err != nil {
		t.Error(err)
	}
}

func stay(release, ended chan struct{}) {
	<-release
	close(ended)
}

func TestChildIsFound(t *testing.T) {
	child := exec.Command("cat")
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if err := childless(); err == nil {
		t.Error("the child was not found")
	}
	_ = in.Close()
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := settled(len(goroutines())); err != nil {
		t.Error(err)
	}
}
