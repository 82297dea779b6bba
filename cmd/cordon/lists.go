package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"cordon/blocklists"
	"cordon/cmd/cordon/wording"
	"cordon/config"
)

func listsCommand() *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "lists",
		Short: "Say how the lists of the running server are",
		Long: "Say of each list what is in force of it, how old that is, and what is wrong, by the admin listener of the server\n" +
			"that runs on this host. The exit status is 0 however they are.",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := askLists(cmd, path)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), all)
			}
			return writeLists(cmd.OutOrStdout(), all, time.Now())
		},
	}
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "answer in JSON")
	show, accept := listsShowCommand(&path, &asJSON), listsAcceptCommand(&path)
	for _, c := range []*cobra.Command{cmd, show, accept} { // a test needs none
		c.Flags().StringVar(&path, "config", "", "the service `FILE`, or the directory that it is in")
	}
	cmd.AddCommand(show, accept, listsTestCommand(&asJSON))
	return cmd
}

func listsShowCommand(path *string, asJSON *bool) *cobra.Command {
	var withRejected bool
	cmd := &cobra.Command{
		Use:     "show NAME",
		Short:   "Say all about one list of the running server",
		Example: "  cordon lists show cert-feed --rejected",
		Args:    oneArgument("the name of a list", "lists show bytedance"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := askList(cmd, *path, args[0])
			if err != nil {
				return err
			}
			if !withRejected {
				s.RejectedLines = nil
			}
			if *asJSON {
				return writeJSON(cmd.OutOrStdout(), s)
			}
			return s.write(cmd.OutOrStdout(), time.Now())
		},
	}
	cmd.Flags().BoolVar(&withRejected, "rejected", false, "with the entries that can't be used, and why")
	return cmd
}

func listsAcceptCommand(path *string) *cobra.Command {
	return &cobra.Command{
		Use:   "accept NAME",
		Short: "Have a list believed that a guard holds",
		Long: "Have the version of a list put in force that is held because it shrank, grew, or is otherwise not as the guards want it.\n" +
			"That goes for this one version: the next one is looked at again. A list that can't be read, or whose signature is\n" +
			"wrong, can't be accepted. It is noted in the state directory, which the running server follows.",
		Args: oneArgument("the name of a list", "lists accept cert-feed"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return acceptList(cmd, *path, args[0])
		},
	}
}

func acceptList(cmd *cobra.Command, path, name string) error {
	s, err := askList(cmd, path, name)
	switch {
	case err != nil:
		return err
	case s.Held == nil:
		return fmt.Errorf("lists accept: list %s is not held: there is nothing to accept", name)
	case s.Held.Content == "":
		return fmt.Errorf("lists accept: list %s is held for a reason that can't be overruled: %s", name, s.Held.Reason)
	}
	content, err := blocklists.ParseContent(s.Held.Content)
	if err != nil {
		return fmt.Errorf("lists accept: the server says of list %s: %w", name, err)
	}
	if path, err = config.FindService(path); err != nil {
		return err
	}
	service, _ := config.ParseService(serviceFile(path), cmd.Flags())
	if service.StateDir == "" {
		return errors.New("lists accept: there is no state directory to note it in: set `state_dir:`")
	}
	if err := (&stateDir{path: service.StateDir}).accept(name, content); err != nil {
		return fmt.Errorf("lists accept: %w", err)
	}
	return awaitAccepted(cmd, path, name, s)
}

// awaitAccepted waits until the server has taken the list over, and says so.
func awaitAccepted(cmd *cobra.Command, path, name string, before *listStatus) error {
	const patience, pause = 10 * time.Second, 100 * time.Millisecond
	for end := time.Now().Add(patience); time.Now().Before(end); {
		now, err := askList(cmd, path, name)
		if err == nil && now.Held != nil && now.Held.Content != before.Held.Content {
			return fmt.Errorf("lists accept: list %s has changed meanwhile, and is held again: %s", name, now.Held.Reason)
		}
		if err == nil && now.Held == nil {
			fmt.Fprintf(cmd.OutOrStdout(), "list %s: %s in force, in place of %s\n", name, now.size(), before.size())
			return nil
		}
		select {
		case <-cmd.Context().Done():
			return cmd.Context().Err()
		case <-time.After(pause):
		}
	}
	return fmt.Errorf("lists accept: it is noted, but the server has not taken it over within %s: see its log", patience)
}

func (s *listStatus) size() string {
	return wording.Count(s.Names, "name") + " and " + wording.Count(s.Networks, "network")
}

// askLists asks the running server for all lists.
func askLists(cmd *cobra.Command, path string) (all []listStatus, err error) {
	return all, askAdmin(cmd, path, "/lists", &all)
}

// askList asks it for one of them, with its rejected lines.
func askList(cmd *cobra.Command, path, name string) (*listStatus, error) {
	s := new(listStatus)
	return s, askAdmin(cmd, path, "/lists/"+url.PathEscape(name), s)
}

// askAdmin asks the running server for what is at resource, and reads that into answer.
func askAdmin(cmd *cobra.Command, path, resource string, answer any) error {
	path, err := config.FindService(path)
	if err != nil {
		return err
	}
	text, err := getAdmin(cmd.Context(), path, cmd.Flags(), resource)
	if err == nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(cmd), err)
	}
	return nil
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// writeLists writes a table for people, and below it what is wrong.
func writeLists(w io.Writer, all []listStatus, now time.Time) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "LIST\tSTATE\tNAMES\tNETWORKS\tREJECTED\tAGE\tSOURCE")
	for i := range all {
		s := &all[i]
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", s.Name, s.State, s.Names, s.Networks, s.Rejected, s.ageText(now), s.Source)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i := range all {
		for _, line := range all[i].wrong(now) {
			if _, err := fmt.Fprintf(w, "\n%s: %s\n", all[i].Name, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// ageText is how long ago its source was known to have nothing newer, "-" where that means nothing.
func (s *listStatus) ageText(now time.Time) string {
	if s.Current.IsZero() {
		return "-"
	}
	return wording.Roughly(now.Sub(s.Current))
}

// wrong says what is wrong with the list, and what to do.
func (s *listStatus) wrong(now time.Time) (lines []string) {
	if s.Held != nil {
		what := "its last good version is in force"
		if s.State == stateAbsent {
			what = "nothing of it is in force"
		}
		line := fmt.Sprintf("held for %s, %s: %s", wording.Roughly(now.Sub(s.Held.Since)), what, s.Held.Reason)
		if s.Held.Content != "" {
			line += fmt.Sprintf("\n  cordon lists accept %s   has it believed as it is: %s in place of %d",
				s.Name, wording.Count(s.Held.Entries, "entry"), s.Names+s.Networks)
		}
		lines = append(lines, line)
	}
	if s.State == stateStale {
		lines = append(lines, fmt.Sprintf("older than max_age, %s: its source was last known to be current %s ago",
			wording.Roughly(time.Duration(s.MaxAge*float64(time.Second))), s.ageText(now)))
	}
	if s.Fetch != nil && s.Fetch.Error != "" {
		lines = append(lines, fmt.Sprintf("fetching failed %s, the next attempt is in %s: %s",
			times(s.Fetch.Failures), wording.Roughly(s.Fetch.Next.Sub(now)), s.Fetch.Error))
	}
	return lines
}

// write writes all about the list for people.
func (s *listStatus) write(w io.Writer, now time.Time) error {
	var b strings.Builder
	line := func(what, told string) { fmt.Fprintf(&b, "%-10s %s\n", what, told) }
	line("list", s.Name)
	line("source", s.Source)
	line("state", s.State)
	line("in force", fmt.Sprintf("%s, %s, hash %s", s.size(), wording.Count(s.Allowed, "entry")+" that allow", s.Hash))
	line("rejected", wording.Count(s.Rejected, "entry"))
	line("loaded", shownTime(s.Loaded, now))
	if !s.Current.IsZero() {
		line("current", shownTime(s.Current, now))
	}
	if s.Fetch != nil {
		line("fetched", fmt.Sprintf("%s; next in %s", shownTime(s.Fetch.Last, now), wording.Roughly(s.Fetch.Next.Sub(now))))
	}
	for _, wrong := range s.wrong(now) {
		line("wrong", wrong)
	}
	for _, r := range s.RejectedLines {
		fmt.Fprintf(&b, "\n%s: %s\n  %s\n", r.Place, r.Reason, r.Text)
	}
	if more := s.Rejected - len(s.RejectedLines); more > 0 && len(s.RejectedLines) > 0 {
		fmt.Fprintf(&b, "\nand %d more\n", more)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func shownTime(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05 MST") + ", " + wording.Roughly(now.Sub(t)) + " ago"
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times in a row", n)
}
