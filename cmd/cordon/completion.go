package main

import (
	"math"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"cordon/cmd/cordon/report"
	"cordon/config"
)

// This file is what a shell offers when somebody presses the tab key. Cobra knows commands and flags by itself; what stands behind them is
// known by what help calls it: a FILE is a file, a CLASS one of the classes of exceptions, an AGENCY one of those in the policy files.

// offer is what can stand in a place, and whether files can.
type offer func(cmd *cobra.Command) ([]string, cobra.ShellCompDirective)

func nothing(*cobra.Command) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func anyFile(*cobra.Command) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func directories(*cobra.Command) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func words(all ...string) offer {
	return func(*cobra.Command) ([]string, cobra.ShellCompDirective) {
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// oneOf offers the texts that a key of a file can have.
func oneOf(kind config.FileKind, path string) offer {
	return func(cmd *cobra.Command) ([]string, cobra.ShellCompDirective) {
		for key := range config.Describe(kind) {
			if key.Path == path {
				return words(key.OneOf...)(cmd)
			}
		}
		return nothing(cmd)
	}
}

// named offers the names of objects in the policy files of the command.
func named(names func(set *config.PolicySet) []string) offer {
	return func(cmd *cobra.Command) ([]string, cobra.ShellCompDirective) {
		return names(policySetOf(cmd)), cobra.ShellCompDirectiveNoFileComp
	}
}

// offers are what can stand for a word in capitals in a help; what is not here is written freely.
var offers = map[string]offer{
	"FILE":     anyFile,
	"PATH":     anyFile,
	"OLD NEW":  anyFile,
	"DIR":      directories,
	"AGENCY":   named(agencyNames),
	"POLICY":   named(decisionNames),
	"LIST":     named(listNames),
	"CLASS":    oneOf(config.PolicyFile, "exceptions[].class"),
	"LEVEL":    oneOf(config.ServiceFile, "log.level"),
	"LANGUAGE": words(report.Languages()...),
}

// offersOf are those of one command alone, by what is typed for it and the word: elsewhere the word means something else.
var offersOf = map[string]offer{
	"init --example":        words("belgium"),
	"report --format":       words("md", "html", "csv", "json"),
	"lists test --format":   oneOf(config.PolicyFile, "lists[].format"),
	"lists show NAME":       named(listNames),
	"lists accept NAME":     named(listNames),
	"exception extend NAME": named(exceptionNames),
	"exception revoke NAME": named(exceptionNames),
	"export rpz --policy":   named(decisionNames),
}

// addCompletions gives the arguments and the flags of cmd, and of all commands below it, what can stand there.
func addCompletions(cmd *cobra.Command) {
	if cmd.Runnable() {
		_, arguments, _ := strings.Cut(cmd.Use, " ")
		o := offerFor(commandName(cmd)+" "+arguments, strings.Trim(arguments, "[]"))
		cmd.ValidArgsFunction = completes(o, len(strings.Fields(arguments)))
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value, _ := pflag.UnquoteUsage(f)
		if value == "" {
			return // it has none
		}
		o := offerFor(commandName(cmd)+" --"+f.Name, value)
		if err := cmd.RegisterFlagCompletionFunc(f.Name, completes(o, math.MaxInt)); err != nil {
			panic("cordon: " + err.Error()) // only for a flag that is not there, or that has one already
		}
	})
	for _, below := range cmd.Commands() {
		addCompletions(below)
	}
}

func offerFor(place, word string) offer {
	for _, o := range []offer{offersOf[place], offers[word]} {
		if o != nil {
			return o
		}
	}
	return nothing
}

// completes is o for cobra, as long as there are fewer arguments than most.
func completes(o offer, most int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= most {
			return nothing(cmd)
		}
		return o(cmd)
	}
}

// policySetOf are the policy files that cmd reads, as far as they can be read; else the ones inside the program.
func policySetOf(cmd *cobra.Command) *config.PolicySet {
	path, _ := cmd.Flags().GetString("config") // else there is no such flag
	dir, err := policyDirOf(cmd, path)
	if err == nil {
		if read, err := readPolicySet(dir); err == nil {
			return read.set
		}
	}
	return loadPolicySet(config.DefaultPolicy()).set
}

func agencyNames(set *config.PolicySet) (names []string) {
	for _, a := range set.Agencies {
		names = append(names, a.Name)
	}
	return names
}

func decisionNames(set *config.PolicySet) (names []string) {
	for _, p := range set.Policies {
		names = append(names, p.Name)
	}
	return names
}

func listNames(set *config.PolicySet) (names []string) {
	for _, l := range set.Lists {
		names = append(names, l.Name)
	}
	return names
}

func exceptionNames(set *config.PolicySet) (names []string) {
	for _, e := range set.Exceptions {
		names = append(names, e.Name)
	}
	return names
}
