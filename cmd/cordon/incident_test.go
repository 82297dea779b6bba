package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"cordon/cmd/cordon/querylog"
)

// Who gives up on a server that is slow is not told that there is no incident, if there may be one in a moment.
func TestARequestThatWasTakenIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		if _, err := awaitObeyed(t.Context(), dir, "one"); err == nil || !strings.HasPrefix(err.Error(), "a server has taken the request") {
			t.Errorf("after the time: %v", err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if _, err := awaitObeyed(ended, dir, "one"); err == nil || !strings.HasPrefix(err.Error(), "a server has taken the request") {
			t.Errorf("after an interruption: %v", err)
		}
		if err := querylog.Ask(dir, &querylog.Request{Stop: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := awaitObeyed(ended, dir, "one"); !errors.Is(err, context.Canceled) {
			t.Errorf("of one that was not taken: %v", err)
		}
	})
}
