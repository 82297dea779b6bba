package admin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Octets. A token of 16 that is random can't be guessed.
const minToken, maxToken, maxPEM = 16, 4096, 1 << 20

// readToken is the token in the file at path. An error never has the token in it.
func readToken(path string) (string, error) {
	text, err := readSmall(path, maxToken+2) // with an end of line
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	token := strings.TrimRight(string(text), "\r\n")
	wrong := func(r rune) bool { return r <= ' ' || r > '~' }
	if len(token) < minToken || len(token) > maxToken || strings.IndexFunc(token, wrong) >= 0 {
		return "", fmt.Errorf("token file: %s holds no token: want one word of printable ASCII, %d to %d octets long, such as one of "+
			"`openssl rand -hex 32`", path, minToken, maxToken)
	}
	return token, nil
}

// readSmall is the content of a regular file of at most so many octets.
func readSmall(path string, most int64) ([]byte, error) {
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
