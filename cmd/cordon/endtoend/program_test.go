//go:build linux

package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// programName, in the environment, is the file of the program that is tested. Without it the program is built from the source beside this.
const programName = "CORDON_E2E_PROGRAM"

// TestMain takes away what was built. Under confined this binary is no test.
func TestMain(m *testing.M) {
	if numbers := os.Getenv(confined); numbers != "" {
		panic(becomeConfined(numbers, os.Args[1:]))
	}
	m.Run()
	if built != "" {
		_ = os.RemoveAll(built)
	}
}

var built string // the directory of the program that was built, "" if none was

// programFile is the path of the program.
func programFile(t *testing.T) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// program is the path of the program. What is built has the race detector in it if the tests have it.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(programName); path != "" {
		return filepath.Abs(path)
	}
	var err error
	if built, err = os.MkdirTemp("", "cordon"); err != nil {
		return "", err
	}
	path := filepath.Join(built, "cordon")
	args := []string{"build", "-buildvcs=false", fmt.Sprintf("-race=%t", raceEnabled), "-o", path, "cordon/cmd/cordon"}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return path, nil
})

// ownFile is the path of this test binary.
func ownFile(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
