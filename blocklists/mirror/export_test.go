package mirror

import (
	"crypto/sha256"
	"path/filepath"
)

// Stem is the beginning of the names of a list's files.
var Stem = stem

// AdviseWrite adds what to do to an error.
var AdviseWrite = adviseWrite

// RecordOf is the record of a copy with that content.
func RecordOf(name, identity string, content []byte) []byte {
	text, err := newKept(name, identity, sha256.Sum256(content), int64(len(content)), Outcome{}).record()
	if err != nil {
		panic(err)
	}
	return text
}

// ContentName is the name of that content's file.
func ContentName(name, identity string, content []byte) string {
	k := newKept(name, identity, sha256.Sum256(content), 0, Outcome{})
	return filepath.Base((&store{}).content(k))
}
