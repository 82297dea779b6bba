package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"cordon/cmd/cordon/wording"
	"cordon/config"
)

func exceptionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exception",
		Short: "Add, list, extend and revoke exceptions",
		Long: "Edit the exceptions in the policy files, or list them. An edit changes what it says and nothing else: comments and order\n" +
			"stay. It is checked together with all policy files before it is written. A running server follows by itself.\n" +
			"Dates and times are read as in the files: an end of 2027-06-30 is the end of that day in the timezone of the file.",
	}
	cmd.AddCommand(exceptionAddCommand(), exceptionListCommand(), exceptionExtendCommand(), exceptionRevokeCommand())
	return cmd
}

// editOptions are the flags that all edits have.
type editOptions struct {
	config string
	dryRun bool
}

func (o *editOptions) flags(cmd *cobra.Command) {
	policyDirFlags(cmd, &o.config)
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "show what would change, and what the check says; write nothing")
}

// policyDirFlags say where the policy directory is.
func policyDirFlags(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "", "the service `FILE`, or the directory that it or a policy is in")
	addSettings(cmd, "policy-dir")
}

func exceptionAddCommand() *cobra.Command {
	var o editOptions
	var e config.NewException
	var file string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add an exception",
		Long: "Add an exception to the file that has those of the agency, else to a file that the agency or one above it owns, else\n" +
			"to the one that declares it.",
		Example: "  cordon exception add press-phone --agency defence --client 10.10.7.42 --class dedicated-device \\\n" +
			"    --reason \"the ministry's own channel\" --approved-by \"head of security\" --until 2027-06-30",
		Args: oneArgument("the name of an exception", "exception add press-phone --agency defence …"),
		RunE: func(cmd *cobra.Command, args []string) error {
			e.Name, e.Now = args[0], time.Now()
			return o.edit(cmd, exceptionEdit{
				name:   e.Name,
				choose: func(p *policyFileSet) (config.File, error) { return p.fileForNew(&e, file) },
				apply:  func(f config.File) (config.File, error) { return config.AddException(f, e) },
				said: func(x *config.Exception) string {
					return fmt.Sprintf("exception %s for %s is added, %s", x.Name, x.Agency, wording.Span(x.Start(), x.Until))
				},
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&e.Agency, "agency", "", "the `AGENCY` that it is for")
	flags.BoolVar(&e.Descendants, "descendants", false, "it is also for the agencies below that one")
	flags.StringArrayVar(&e.Clients, "client", nil, "the `ADDRESS` or network of a client, may be repeated (default the whole agency)")
	flags.StringArrayVar(&e.Policies, "policy", nil, "a `POLICY` that it lifts, may be repeated (default all that may be lifted)")
	flags.StringArrayVar(&e.Names, "name", nil, "a domain `NAME` that it lifts, may be repeated (default all that is banned)")
	flags.StringArrayVar(&e.Lists, "list", nil, "a `LIST` that it lifts, may be repeated")
	flags.StringVar(&e.Class, "class", "", "the `CLASS`, such as dedicated-device, law-enforcement, security-research or emergency")
	flags.StringVar(&e.Reason, "reason", "", "a `TEXT`: why it is needed")
	flags.StringVar(&e.ApprovedBy, "approved-by", "", "`WHO` signed for it")
	flags.StringVar(&e.Approved, "approved", "", "the `DATE` of that (default today)")
	flags.StringVar(&e.From, "from", "", "the `TIME` from which it lifts something (default --approved)")
	flags.StringVar(&e.Until, "until", "", "the last `DATE` on which it does, or a time")
	flags.StringVar(&e.Ticket, "ticket", "", "the `TICKET` in which it was asked for")
	flags.StringVar(&file, "file", "", "the policy `FILE` to write it to")
	o.flags(cmd)
	return cmd
}

func exceptionExtendCommand() *cobra.Command {
	var o editOptions
	var x config.Extension
	cmd := &cobra.Command{
		Use:   "extend NAME",
		Short: "Give an exception a later end",
		Long: "Give an exception a later end, and note in its history who gave which end, and when. One that is over, or was revoked,\n" +
			"can't be extended: add a new one.",
		Example: "  cordon exception extend press-phone --until 2027-12-31 --approved-by \"head of security\" \\\n" +
			"    --reference \"letter of 4 May\"",
		Args: oneArgument("the name of an exception", "exception extend press-phone --until 2027-12-31 …"),
		RunE: func(cmd *cobra.Command, args []string) error {
			x.Now = time.Now()
			return o.edit(cmd, exceptionEdit{
				name:   args[0],
				choose: func(p *policyFileSet) (config.File, error) { return p.fileOf(args[0]) },
				apply:  func(f config.File) (config.File, error) { return config.ExtendException(f, args[0], x) },
				said: func(x *config.Exception) string {
					return fmt.Sprintf("exception %s is extended %s", x.Name, wording.End(x.Until))
				},
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&x.Until, "until", "", "the last `DATE` on which it lifts something, or a time")
	flags.StringVar(&x.ApprovedBy, "approved-by", "", "`WHO` signed for the extension")
	flags.StringVar(&x.Reference, "reference", "", "a `TEXT`: where that is written")
	flags.StringVar(&x.Approved, "approved", "", "the `DATE` on which it was approved at first, if the file does not say that")
	o.flags(cmd)
	return cmd
}

func exceptionRevokeCommand() *cobra.Command {
	var o editOptions
	var r config.Revocation
	cmd := &cobra.Command{
		Use:     "revoke NAME",
		Short:   "End an exception before its time",
		Long:    "End an exception now or at a time to come. It stays in the file, for the report.",
		Example: "  cordon exception revoke press-phone --by \"head of security\"",
		Args:    oneArgument("the name of an exception", "exception revoke press-phone --by …"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Now = time.Now()
			return o.edit(cmd, exceptionEdit{
				name:   args[0],
				choose: func(p *policyFileSet) (config.File, error) { return p.fileOf(args[0]) },
				apply:  func(f config.File) (config.File, error) { return config.RevokeException(f, args[0], r) },
				said: func(x *config.Exception) string {
					return fmt.Sprintf("exception %s is revoked from %s on", x.Name, wording.Minute(x.Revoked))
				},
			})
		},
	}
	cmd.Flags().StringVar(&r.By, "by", "", "`WHO` decided that")
	cmd.Flags().StringVar(&r.At, "at", "", "the `TIME` from which it lifts nothing (default now)")
	o.flags(cmd)
	return cmd
}
