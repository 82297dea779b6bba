package main

import (
	"io"
	"net"
	"strings"
	"testing"
)

// Who is asked and says nothing is named.
func TestHealthcheckNamesWhoGivesNoAnswer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // the system takes connections, and nobody reads them
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	at := silent.Addr().String()
	var said strings.Builder
	if status := run(t.Context(), []string{"healthcheck", "--admin", at}, io.Discard, &said); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	if want := "cordon: healthcheck: " + at + " gives no answer: "; !strings.HasPrefix(said.String(), want) {
		t.Errorf("said %q, want %q", said.String(), want)
	}
}
