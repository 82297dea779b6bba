package main

import (
	"errors"
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
