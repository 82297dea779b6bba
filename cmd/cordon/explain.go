package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"cordon/blocklists/builtin"
	"cordon/blocklists/domain"
	"cordon/config"
	"cordon/resolver/policy"
)

// question is what explain is asked.
type question struct {
	config, client, rtype, at string
	json                      bool
}

func explainCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "explain NAME",
		Short: "Say what a client would get, and why",
		Long: "Say what policy says of NAME, and by which agency, list, policy or exception, from the files as they are now.\n" +
			"No server needs to run and nothing is asked in the network: what an answer would lead to is not known here.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return explain(cmd, args[0], q)
		},
	}
	cmd.Flags().StringVar(&q.config, "config", "", "the service file")
	cmd.Flags().StringVar(&q.client, "client", "127.0.0.1", "the address of the client")
	cmd.Flags().StringVar(&q.rtype, "type", "A", "the type that is asked for")
	cmd.Flags().StringVar(&q.at, "at", "", "when: 2023-09-11T09:00 in local time, or with an offset; now if left out")
	cmd.Flags().BoolVar(&q.json, "json", false, "answer in JSON")
	config.AddFlags(cmd.Flags())
	return cmd
}

func explain(cmd *cobra.Command, text string, q question) error {
	name, err := domain.Parse(text)
	if err != nil {
		return fmt.Errorf("explain: name: %w", err)
	}
	client, err := netip.ParseAddr(q.client)
	if err != nil {
		return fmt.Errorf("explain: --client %q is not an IP address", q.client)
	}
	if _, known := dns.StringToType[strings.ToUpper(q.rtype)]; !known {
		return fmt.Errorf("explain: --type %q is not a record type: want A, AAAA, HTTPS, …", q.rtype)
	}
	at, err := moment(q.at)
	if err != nil {
		return err
	}
	in, err := readAll(cmd.Context(), q.config, cmd.Flags())
	if err != nil {
		return err
	}
	if in.faults.Bad() {
		sayFaults(cmd.ErrOrStderr(), in.faults.Errors())
		return errSaid
	}
	snapshot := in.generation.snapshot
	asker, allowed := snapshot.Asker(client)
	found := snapshot.Explain(asker, []byte(name), policy.Instant{Now: at})
	e := explanation(&found, allowed)
	e.Name, e.Type, e.Client, e.At = name.String(), strings.ToUpper(q.rtype), client.String(), at.Format(time.RFC3339)
	if q.json {
		encoder := json.NewEncoder(cmd.OutOrStdout())
		encoder.SetIndent("", "  ")
		return encoder.Encode(e)
	}
	return e.write(cmd.OutOrStdout())
}

// moment is the time that text says, now if it is empty.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("explain: --at %q is not a time: want 2023-09-11T09:00, or with an offset 2023-09-11T09:00:00+02:00", text)
}

// Explained is a verdict and how it came about, for people and, as JSON, for programs.
type Explained struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Client  string  `json:"client"`
	At      string  `json:"at"`
	Allowed bool    `json:"allowed"` // false: this client may not ask at all
	Verdict string  `json:"verdict"` // pass, refuse, observe, except, or prohibited if it is not allowed
	Answer  string  `json:"answer,omitempty"`
	Agency  origin  `json:"agency"`
	Policy  *origin `json:"policy,omitempty"` // the reason
	Lifted  *origin `json:"exception,omitempty"`
	Rule    *rule   `json:"rule,omitempty"`
	Matches []match `json:"matches"`
	Until   string  `json:"may_change_at,omitempty"`
}

// origin is something with the place where it is written, "file:line".
type origin struct {
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
	Source string `json:"source,omitempty"`
}

// rule is an entry of a list.
type rule struct {
	List   string `json:"list"`
	Name   string `json:"name"`
	CDN    bool   `json:"shared_cdn_form,omitempty"`
	Source string `json:"source"`
}

// match is a rule with what each policy makes of it.
type match struct {
	rule
	Policies []weighed `json:"policies"`
}

type weighed struct {
	origin
	Bearing    string   `json:"bearing"`
	Exceptions []origin `json:"exceptions,omitempty"`
}

func explanation(x *policy.Explanation, allowed bool) *Explained {
	v := &x.Verdict
	e := &Explained{
		Allowed: allowed, Verdict: v.Action.String(), Matches: []match{},
		Agency: origin{Name: v.Agency.Name, Source: v.Agency.Source, Detail: "mode " + v.Agency.Mode.String()},
	}
	if !v.Boundary.IsZero() {
		e.Until = v.Boundary.Format(time.RFC3339)
	}
	for i := range x.Matches {
		e.Matches = append(e.Matches, matchOf(&x.Matches[i], e))
	}
	if v.Policy != nil {
		e.Policy = &origin{Name: v.Policy.Name, Detail: legal(v.Policy), Source: v.Policy.Source}
	}
	if v.Exception != nil {
		e.Lifted = &origin{Name: v.Exception.Name, Detail: signed(v.Exception), Source: v.Exception.Source}
	}
	if v.Action == policy.Refuse {
		e.Answer = refusalText(v)
	}
	if !allowed {
		e.Verdict, e.Answer = "prohibited", "REFUSED, EDE 18: the client is in no agency's network and not in allow_clients"
	}
	return e
}

// matchOf is m, and sets e.Rule if m decided.
func matchOf(m *policy.Matched, e *Explained) match {
	found := match{rule: ruleOf(m), Policies: []weighed{}}
	for _, w := range m.Policies {
		found.Policies = append(found.Policies, weighedOf(&w))
		if w.Decisive {
			e.Rule = &found.rule
		}
	}
	return found
}

func ruleOf(m *policy.Matched) rule {
	r := rule{List: m.List.Name(), CDN: m.CDN, Source: fmt.Sprintf("%s:%d", m.List.Path(), m.Line)}
	if name, ok := strings.CutPrefix(m.List.Source(), "builtin:"); ok {
		r.Source = builtin.Place(name, m.Line)
	}
	switch {
	case m.Name == nil:
		r.Name = m.Addr.String()
	case m.Rule == nil:
	default:
		r.Name = string(domain.AppendText(nil, m.Rule))
	}
	return r
}

func weighedOf(w *policy.Weighed) weighed {
	all := weighed{origin: origin{Name: w.Policy.Name, Detail: legal(w.Policy), Source: w.Policy.Source}, Bearing: w.Bearing.String()}
	for _, c := range w.Considered {
		why := "does not cover this name"
		switch {
		case c.Covers && c.Phase == policy.InForce:
			why = "lifts it"
		case c.Covers:
			why = "covers this name, but is " + c.Phase.String()
		}
		all.Exceptions = append(all.Exceptions, origin{Name: c.Exception.Name, Detail: why, Source: c.Exception.Source})
	}
	return all
}

// legal is what a policy stands on, in a line.
func legal(p *policy.Policy) string {
	kind := "ban"
	if p.Recommendation {
		kind = "recommendation"
	}
	parts := []string{kind}
	if p.Authority != "" {
		parts[0] += " of " + p.Authority
	}
	if p.LegalReference != "" {
		parts = append(parts, p.LegalReference)
	}
	if !p.From.IsZero() {
		parts = append(parts, "from "+p.From.Format("2006-01-02 15:04"))
	}
	if !p.Until.IsZero() {
		parts = append(parts, "until "+p.Until.Format("2006-01-02 15:04"))
	}
	return strings.Join(parts, ", ")
}

// signed is who answers for an exception, in a line.
func signed(e *policy.Exception) string {
	return fmt.Sprintf("%s; approved by %s, until %s", e.Reason, e.ApprovedBy, e.Until.Format("2006-01-02 15:04"))
}

// refusalText is what the client gets.
func refusalText(v *policy.Verdict) string {
	answer := map[policy.Mode]string{
		policy.NXDomain: "NXDOMAIN", policy.NoData: "NODATA", policy.Refused: "REFUSED", policy.NullIP: "0.0.0.0 or ::, else NODATA",
	}[v.Policy.Answer]
	if v.Policy.Answer == policy.NXDomain && v.HasExceptions {
		answer = "NODATA (NXDOMAIN would deny the names that an exception allows)"
	}
	return answer + ", for every type"
}

// write writes e as a short tree.
func (e *Explained) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s, asked by %s at %s\n", e.Name, e.Type, e.Client, e.At)
	fmt.Fprintf(&b, "verdict: %s", e.Verdict)
	if e.Answer != "" {
		fmt.Fprintf(&b, " (%s)", e.Answer)
	}
	b.WriteString("\n")
	branch(&b, 0, "agency", e.Agency)
	for _, m := range e.Matches {
		form := ""
		if m.CDN {
			form = ", by the form <listed name>.<shared CDN suffix>"
		}
		branch(&b, 0, "list", origin{Name: m.List, Detail: "holds " + m.rule.Name + form, Source: m.rule.Source})
		for _, p := range m.Policies {
			branch(&b, 1, "policy", origin{Name: p.Name, Detail: p.Bearing + ": " + p.Detail, Source: p.Source})
			for _, x := range p.Exceptions {
				branch(&b, 2, "exception", x)
			}
		}
	}
	if len(e.Matches) == 0 {
		b.WriteString("  no list in force holds it\n")
	}
	if e.Until != "" {
		fmt.Fprintf(&b, "  this may change at %s\n", e.Until)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func branch(b *strings.Builder, depth int, what string, o origin) {
	fmt.Fprintf(b, "%s  %-9s  %s", strings.Repeat("  ", depth), what, o.Name)
	if o.Detail != "" {
		fmt.Fprintf(b, ": %s", o.Detail)
	}
	if o.Source != "" {
		fmt.Fprintf(b, "  [%s]", o.Source)
	}
	b.WriteString("\n")
}
