package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"cordon/blocklists"
	"cordon/blocklists/format"
	"cordon/cmd/cordon/wording"
)

func listsTestCommand(asJSON *bool) *cobra.Command {
	var formatName string
	cmd := &cobra.Command{
		Use:   "test FILE",
		Short: "Say what a file would do as a list",
		Long: "Read FILE, or standard input for -, as a list, and say in which format it is, how many entries it has, which of them\n" +
			"can't be used and why, and which take in the most. No server needs to run. The exit status is 1 if it would not be\n" +
			"believed as a new list.",
		Example: "  cordon lists test feed.txt\n  curl -s https://lists.example/feed.txt | cordon lists test - --format adblock",
		Args:    oneArgument("a file", "lists test feed.txt"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := testList(cmd, args[0], formatName)
			if err != nil {
				return err
			}
			if *asJSON {
				err = writeJSON(cmd.OutOrStdout(), t)
			} else {
				err = t.write(cmd.OutOrStdout())
			}
			if err == nil && t.Wrong != "" {
				err = errSaid
			}
			return err
		},
	}
	cmd.Flags().StringVar(&formatName, "format", "", "the `FORMAT` in place of the one that it looks like")
	return cmd
}

// listTest is what a file would do as a list.
type listTest struct {
	File     string         `json:"file"`
	Format   string         `json:"format"`
	Names    int            `json:"names"`
	Networks int            `json:"networks"`
	Allowed  int            `json:"allowed"`
	Rejected int            `json:"rejected"`
	Canceled int            `json:"canceled"` // entries that others of the same list take off again
	Marked   bool           `json:"end_marker"`
	Wrong    string         `json:"wrong,omitempty"`  // why it would not be believed
	Allows   []string       `json:"allows,omitempty"` // the first of them
	Widest   []string       `json:"widest"`
	Lines    []rejectedLine `json:"rejected_lines,omitempty"`
}

func testList(cmd *cobra.Command, path, formatName string) (*listTest, error) {
	f, err := format.ParseFormat(formatName)
	if err != nil {
		return nil, fmt.Errorf("lists test: %w", err)
	}
	in, size, err := openTested(cmd, path)
	if err != nil {
		return nil, fmt.Errorf("lists test: %w", err)
	}
	defer in.Close()
	progress := newProgress(cmd.ErrOrStderr())
	defer progress.end()
	list, err := blocklists.Parse(blocklists.Source{Name: path, Format: f}, path, progress.reading(in, path, size))
	if err != nil {
		return nil, fmt.Errorf("lists test: %w", err)
	}
	t := &listTest{
		File: path, Format: list.Format().String(), Names: list.Len(), Networks: list.Networks(), Allowed: list.Allowed(),
		Rejected: list.Rejected(), Canceled: list.Canceled(), Marked: list.Marked(),
		Allows: allows(list), Widest: widest(list), Lines: rejected(list),
	}
	if err := blocklists.DefaultGuards().Check(list, nil); err != nil {
		t.Wrong = err.Error()
	}
	return t, nil
}

// openTested opens what is to be tested. The size is 0 if it is not known.
func openTested(cmd *cobra.Command, path string) (in io.ReadCloser, size int64, err error) {
	if path == "-" {
		return io.NopCloser(cmd.InOrStdin()), 0, nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, 0, err
	case !info.Mode().IsRegular():
		return nil, 0, errors.New(path + " is not a regular file")
	case info.Size() > blocklists.MaxSize:
		return nil, 0, fmt.Errorf("%s has %d octets: want at most %d", path, info.Size(), int64(blocklists.MaxSize))
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

// mostShown is how many entries and lines are shown to people.
const mostShown = 10

// widest are the entries that take in the most, with their places.
func widest(list *blocklists.List) []string {
	all := make([]string, 0, 2*mostShown)
	for _, r := range list.WidestNames(mostShown) {
		what := r.Name.String() + " and all below it"
		if r.Self != blocklists.Blocks {
			what = "*." + r.Name.String()
		}
		all = append(all, fmt.Sprintf("%s (%s)", what, list.PlaceText(r.Line)))
	}
	for _, r := range list.WidestNetworks(mostShown) {
		all = append(all, fmt.Sprintf("%s (%s)", r.Prefix, list.PlaceText(r.Line)))
	}
	return all
}

// allows are the first entries that take something off the list, with their places.
func allows(list *blocklists.List) []string {
	var all []string
	for r := range list.NameRules() {
		if (r.Self == blocklists.Allows || r.Below == blocklists.Allows) && len(all) < blocklists.MaxFaults {
			all = append(all, fmt.Sprintf("%s (%s)", r.Name, list.PlaceText(r.Line)))
		}
	}
	return all
}

func (t *listTest) write(w io.Writer) error {
	var b strings.Builder
	line := func(what, told string, args ...any) {
		fmt.Fprintf(&b, "%-10s %s\n", what, fmt.Sprintf(told, args...))
	}
	line("format", "%s", t.Format)
	line("refuses", "%s and %s", wording.Count(t.Names, "name"), wording.Count(t.Networks, "network"))
	if t.Allowed > 0 {
		line("allows", "%s; off the list because of them: %s", wording.Count(t.Allowed, "entry"), wording.Count(t.Canceled, "entry"))
	}
	for _, text := range t.Allows[:min(len(t.Allows), mostShown)] {
		line("", "%s", text)
	}
	if t.Marked {
		line("end", "it has an end marker, and the count is right")
	}
	for i, text := range t.Widest {
		line([]string{"widest", ""}[min(i, 1)], "%s", text)
	}
	line("rejected", "%s", wording.Count(t.Rejected, "entry"))
	for _, r := range t.Lines[:min(len(t.Lines), mostShown)] {
		fmt.Fprintf(&b, "  %s: %s\n    %s\n", r.Place, r.Reason, r.Text)
	}
	if more := t.Rejected - mostShown; more > 0 {
		fmt.Fprintf(&b, "  and %d more: --json has the first %d\n", more, blocklists.MaxFaults)
	}
	if t.Wrong != "" {
		line("as a list", "it would be held: %s", t.Wrong)
	} else {
		line("as a list", "it would be believed")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
