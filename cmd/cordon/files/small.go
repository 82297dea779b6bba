package files

import (
	"errors"
	"io"
	"os"
)

// ReadSmall is the content of the regular file at path, to which a link may lead. It is an error if it has more than so many octets; an
// error never has any of them.
func ReadSmall(path string, most int64) ([]byte, error) {
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() { // opening a pipe could wait for ever
		return nil, errors.New(path + " is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = errors.New(path + " is too large")
	}
	return text, err
}
