package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"sync"
	"time"

	"cordon/blocklists/mirror"
	"cordon/blocklists/transfer"
	"cordon/config"
)

// publisher is the source of a list from elsewhere: the newest version has the checksum of its content as its name.
type publisher struct {
	mu      sync.Mutex
	content []byte // nil: it can't be reached
}

func (p *publisher) Fetch(_ context.Context, have *mirror.Copy, w io.Writer) (mirror.Outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.content == nil {
		return mirror.Outcome{}, errors.New("connection refused")
	}
	sum := sha256.Sum256(p.content)
	outcome := mirror.Outcome{Version: hex.EncodeToString(sum[:])}
	if have != nil && have.Version == outcome.Version {
		return outcome, mirror.ErrUnchanged
	}
	_, err := w.Write(p.content)
	return outcome, err
}

// remote is a list from elsewhere with the script as its network.
func (x *scenario) remote(declared *config.List) (mirror.Remote, *transfer.Zone, error) {
	return mirror.Remote{
		Name: declared.Name, Identity: remoteIdentity(declared), Refresh: declared.Refresh, Source: x.publisher(declared.Name),
	}, nil, nil
}

// publisher is that of the list called name.
func (x *scenario) publisher(name string) *publisher {
	if x.publishers[name] == nil {
		x.publishers[name] = &publisher{}
	}
	return x.publishers[name]
}

func (x *scenario) publish(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	content, ok := x.sections[args[1]]
	if !ok && args[1] != "fail" {
		x.fatalf("no section %q", args[1])
	}
	p := x.publisher(args[0])
	p.mu.Lock()
	defer p.mu.Unlock()
	p.content = content
	return nil
}

// fetch asks all sources, and does what the server does when there is something new.
func (x *scenario) fetch([]string) error {
	x.log.take()
	x.server.pokeAll()
	time.Sleep(2 * time.Second) // in the bubble
	select {
	case <-x.server.copied:
		x.server.reload(context.Background())
	default:
	}
	x.heard = x.log.take()
	return nil
}

// accept does what `cordon lists accept` does.
func (x *scenario) accept(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return x.server.state.accept(args[0], x.server.loader.holds["list "+args[0]].content)
}

func (x *scenario) tick([]string) error {
	x.log.take()
	x.server.announce(x.now())
	x.heard = x.log.take()
	return nil
}

// follow runs what follows the files and the time, with nobody who changes a file.
func (x *scenario) follow(args []string) error {
	d, err := duration(args)
	if err != nil {
		return err
	}
	x.log.take()
	if x.server.watcher, err = config.NewWatcher(config.WatcherConfig{Paths: func() []config.Watched { return nil }, Log: x.server.log}); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), d)
	defer stop()
	x.server.followAll(ctx, nil)
	x.heard = x.log.take()
	return nil
}
