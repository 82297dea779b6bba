package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/audit"
	"cordon/cmd/cordon/files"
	"cordon/cmd/cordon/report"
)

// reportOptions is what report is asked, as it was typed.
type reportOptions struct {
	config, from, to, agency, lang, format, output, separator string
	audit                                                     []string
}

func reportCommand() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the report on a period, for those who decided the bans",
		Long: "Say for a period which bans were in force, for whom, what they refused, who was excepted by whom, and what went\n" +
			"wrong: from the policy files as they are now, and from the audit log. It has no address of a client and no name that\n" +
			"was asked for.\n\n" +
			"Days are those of the time zone of the policy files; --from and --to are both included. Without both: the last whole\n" +
			"quarter of a year. With --from alone: until yesterday. html is one file that needs nothing from elsewhere and prints\n" +
			"on A4; csv is one table for a spreadsheet; json has everything. A spreadsheet in a language that writes 1,5 takes a\n" +
			"csv file for one column, unless it has --separator ';'.",
		Example: "  cordon report --from 2026-01-01 --to 2026-06-30 --lang fr --output report.html\n" +
			"  cordon report --agency defence --format csv --audit /srv/audit/ns1 --audit /srv/audit/ns2",
		Args: noArgument,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := writeReport(cmd, &o); err != nil {
				return fmt.Errorf("report: %w", err)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.config, "config", "", "the service `FILE`, or the directory that it or a policy is in")
	f.StringVar(&o.from, "from", "", "the first `DAY`, such as 2026-01-01")
	f.StringVar(&o.to, "to", "", "the last `DAY`, such as 2026-06-30")
	f.StringVar(&o.agency, "agency", "", "only this `AGENCY` and those below it")
	f.StringVar(&o.lang, "lang", "", "the `LANGUAGE` of md and html: fr, nl, de or en (default the agency's, else en)")
	f.StringVar(&o.format, "format", "", "the `FORMAT`: md, html, csv or json (default as --output ends, else md)")
	f.StringVar(&o.separator, "separator", ",", "the `CHARACTER` between the cells of csv: , or ; or tab")
	f.StringVar(&o.output, "output", "", "write it to this `FILE` (default to standard output)")
	f.StringArrayVar(&o.audit, "audit", nil, "the `DIR` of an audit log, again for each further server (default that of the service)")
	addSettings(cmd, "policy-dir", "state-dir")
	return cmd
}

func writeReport(cmd *cobra.Command, o *reportOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	in, err := readAll(cmd, o.config)
	if err != nil {
		return err
	}
	if in.generation == nil {
		sayFaults(cmd.ErrOrStderr(), in.faults.Errors())
		return errors.New("the configuration has faults, so there is no policy to report on")
	}
	in.sayHeld(cmd.ErrOrStderr())
	facts := in.reportFacts(time.Now())
	facts.Only = o.agency
	if err := o.chooseLanguage(facts.Agencies); err != nil {
		return err
	}
	period, err := o.period(facts.Made)
	if err != nil {
		return err
	}
	logs, err := o.logs(in)
	if err != nil {
		return err
	}
	if len(logs) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "no audit log is read: neither `audit: dir` nor `state_dir:` is set, and --audit names none")
	}
	for i := range logs {
		if c := &logs[i].Checked; !c.Intact {
			fmt.Fprintf(cmd.ErrOrStderr(), "the audit log in %s is not intact, which the report says: %s\n", logs[i].Name, c.Broken)
		}
	}
	return o.write(cmd, report.New(facts, period, logs...))
}

// separators are what can stand between the cells of csv.
var separators = map[string]rune{",": ',', ";": ';', "tab": '\t'}

// check checks what needs no policy.
func (o *reportOptions) check() error {
	if ending := strings.TrimPrefix(filepath.Ext(o.output), "."); o.format == "" && ending != "" {
		if !slices.Contains(report.Formats(), ending) {
			return fmt.Errorf("--output %q: found the ending %s, want one of %s, or --format",
				o.output, ending, strings.Join(report.Formats(), ", "))
		}
		o.format = ending
	}
	if o.format == "" {
		o.format = "md"
	}
	if !slices.Contains(report.Formats(), o.format) {
		return fmt.Errorf("--format %q: want one of %s", o.format, strings.Join(report.Formats(), ", "))
	}
	if _, known := separators[o.separator]; !known {
		return fmt.Errorf("--separator %q: want , or ; or tab", o.separator)
	}
	if o.format != "csv" && o.separator != "," {
		return fmt.Errorf("--separator %q: it is for csv, not for %s", o.separator, o.format)
	}
	if o.lang != "" && !slices.Contains(report.Languages(), o.lang) {
		return fmt.Errorf("--lang %q: want one of %s", o.lang, strings.Join(report.Languages(), ", "))
	}
	if o.to != "" && o.from == "" {
		return errors.New("--to without --from: want both, or neither for the last whole quarter of a year")
	}
	return nil
}

// period is what --from and --to mean at now, which has the time zone of the policy.
func (o *reportOptions) period(now time.Time) (report.Period, error) {
	if o.from == "" {
		return report.LastQuarter(now), nil
	}
	to := o.to
	if to == "" {
		to = now.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	p, err := report.NewPeriod(o.from, to, now.Location())
	switch {
	case err != nil && o.to == "":
		return p, fmt.Errorf("--from without --to, which is yesterday then: %w", err)
	case err != nil:
		return p, fmt.Errorf("--from and --to: %w", err)
	}
	return p, nil
}

// chooseLanguage finds the agency that was asked for, and takes its language if none was asked for.
func (o *reportOptions) chooseLanguage(all []report.AgencyFacts) error {
	names := make([]string, 0, len(all))
	language := "en"
	found := o.agency == ""
	for i := range all {
		names = append(names, all[i].Name)
		if all[i].Name == o.agency {
			found = true
			tag, _, _ := strings.Cut(all[i].Language, "-")
			if slices.Contains(report.Languages(), tag) {
				language = tag
			}
		}
	}
	if !found {
		return fmt.Errorf("there is no agency %q, want one of: %s", o.agency, strings.Join(names, ", "))
	}
	if o.lang == "" {
		o.lang = language
	}
	return nil
}

// logs are those in the directories of --audit, else that of the service.
func (o *reportOptions) logs(in *inputs) ([]report.Log, error) {
	dirs := o.audit
	if len(dirs) == 0 {
		if dir := auditDir(in.service); dir != "" {
			dirs = []string{dir}
		}
	}
	var logs []report.Log
	for i, dir := range dirs {
		if slices.ContainsFunc(dirs[:i], func(other string) bool { return filepath.Clean(other) == filepath.Clean(dir) }) {
			return nil, fmt.Errorf("--audit %s is there twice: its queries would be counted twice", dir)
		}
		log, err := readableLog(dir)
		if err != nil {
			return nil, err
		}
		logs = append(logs, log)
	}
	return logs, nil
}

// readableLog is the log in dir, verified.
func readableLog(dir string) (report.Log, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return report.Log{}, fmt.Errorf("audit log: %w", err)
	}
	summary, err := audit.Verify(dir, "")
	damage, isDamage := errors.AsType[*audit.Damage](err)
	if err != nil && !isDamage {
		return report.Log{}, fmt.Errorf("audit log: %w", err)
	}
	log := report.Log{
		Name: dir, Entries: audit.Read(dir, time.Time{}, time.Time{}),
		Checked: report.Check{Intact: err == nil, Head: summary.Head.Hash, Entries: summary.Entries},
	}
	if isDamage {
		log.Checked.Broken = damage.Error()
	}
	return log, nil
}

// write writes r where it is wanted. A file is there whole, or as it was before.
func (o *reportOptions) write(cmd *cobra.Command, r *report.Report) error {
	if o.output == "" {
		return o.writeTo(cmd.OutOrStdout(), r)
	}
	const mode = 0o640 // it names who approved what
	write := func(w io.Writer) error { return o.writeTo(w, r) }
	err := files.ReplaceWith(filepath.Dir(o.output), mode, write, func() string { return o.output })
	if err != nil {
		return fmt.Errorf("writing %s: %w", o.output, err)
	}
	return nil
}

func (o *reportOptions) writeTo(w io.Writer, r *report.Report) error {
	if o.format == "csv" {
		return r.WriteCSV(w, separators[o.separator])
	}
	return r.Write(w, o.format, o.lang)
}

// reportFacts are what the files say, for a report that is made at now.
func (in *inputs) reportFacts(now time.Time) report.Facts {
	snapshot := in.generation.snapshot
	facts := report.Facts{
		Made: now.In(zoneOf(snapshot)), Zone: zoneOf(snapshot), Hash: snapshot.Hash(), Policies: snapshot.Policies(),
		Exceptions: in.generation.set.Exceptions,
	}
	for _, a := range snapshot.Agencies() {
		facts.Agencies = append(facts.Agencies, report.AgencyFacts{Agency: a, Policies: snapshot.PoliciesOf(a)})
	}
	for i, s := range statuses(in.generation, in.generation.holds, nil, now) {
		if copied := in.mirrored(in.generation.set.Lists[i]); copied != nil && s.Current.IsZero() {
			s.Current = copied.Checked
		}
		facts.Lists = append(facts.Lists, report.List{
			Name: s.Name, Source: in.generation.set.Lists[i].Source, State: s.State, Names: s.Names, Networks: s.Networks,
			Current: s.Current.In(facts.Zone),
		})
	}
	return facts
}
