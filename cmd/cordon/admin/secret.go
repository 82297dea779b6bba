package admin

import (
	"fmt"
	"strings"

	"cordon/cmd/cordon/files"
)

// Octets. A token of 16 that is random can't be guessed.
const minToken, maxToken, maxPEM = 16, 4096, 1 << 20

// readToken is the token in the file at path. An error never has the token in it.
func readToken(path string) (string, error) {
	text, err := files.ReadSmall(path, maxToken+2) // with an end of line
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
