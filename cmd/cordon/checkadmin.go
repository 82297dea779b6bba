package main

import (
	"errors"
	"fmt"
	"io/fs"

	"cordon/cmd/cordon/admin"
	"cordon/config"
)

// checkAdmin adds what is wrong with the files of the admin listener: those that a server would not start with, and those that others may
// read. One that is not there, or may not be read, may be so for the server only: that is a warning.
func (in *inputs) checkAdmin() {
	if in.faults.Bad() || in.path == "" {
		return
	}
	all := guardOf(in.service)
	token, certificate := admin.Guard{TokenFile: all.TokenFile}, all
	certificate.TokenFile = ""
	in.checkGuard("token_file", token)
	in.checkGuard("certificate", certificate)
	in.checkClear()
}

// checkClear warns of a token that crosses a network as it is. What network that is, one of containers on this host or one that others
// listen to, the files don't say: so it is about the machine.
func (in *inputs) checkClear() {
	e := in.service.Listen.Admin
	if !e.IsValid() || e.IsPrivate() || in.service.Admin.TokenFile == "" || in.service.Admin.Certificate != "" {
		return
	}
	message := fmt.Sprintf("admin: other hosts reach %s, and the token that they show crosses the network in the clear: set "+
		"admin.certificate and admin.key, unless nobody else is in that network", e)
	f := faultAt([]config.File{config.ReadFile(in.path)}, in.service.Listen.At("admin"), message)
	f.Warning, f.Elsewhere = true, true
	in.faults = append(in.faults, f)
}

// checkGuard adds what is wrong with the files of g, of which the first stands under key.
func (in *inputs) checkGuard(key string, g admin.Guard) {
	add := func(message string, warning bool) {
		f := faultAt([]config.File{config.ReadFile(in.path)}, in.service.Admin.At(key), message)
		f.Warning, f.Elsewhere = warning, warning
		in.faults = append(in.faults, f)
	}
	warnings, err := g.Check()
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist):
		add(err.Error()+": a server that can't read it does not start", true)
	default:
		add(err.Error(), false)
	}
	for _, w := range warnings {
		add(w, true)
	}
}
