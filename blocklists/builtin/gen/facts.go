package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
)

// facts are what is read of the files of the fact base.
type facts struct {
	Services          []service
	ProtectedSuffixes struct{ Suffixes []protectedSuffix } `json:"protected_suffixes"`
	networks          []network
	addresses         addressFacts
}

type service struct {
	ID, Name, Kind, About, Collateral string
	Tier                              int // 1 to 3
	Domains                           []listed
}

type listed struct {
	Name, Match, Confidence string
}

type protectedSuffix struct {
	Suffix, Operator string
}

type network struct {
	ASN         int
	Holder, Use string
	Prefixes    []string
}

type addressFacts struct {
	Groups  []addressGroup
	LeftOut []struct{ Network, Why string } `json:"left_out"`
}

type addressGroup struct {
	Use, Holder  string
	Source, Date string // where and when it was seen
	Addresses    []string
}

func readFacts(input fs.FS) (facts, error) {
	var all facts
	if err := readJSON(input, "bytedance-services.json", &all); err != nil {
		return facts{}, err
	}
	var nets struct{ Networks []network }
	if err := readJSON(input, "bytedance-networks.json", &nets); err != nil {
		return facts{}, err
	}
	all.networks = nets.Networks
	if err := readJSON(input, "bytedance-addresses.json", &all.addresses); err != nil {
		return facts{}, err
	}
	return all, nil
}

func readJSON(input fs.FS, name string, into any) error {
	text, err := fs.ReadFile(input, name)
	if err != nil {
		return fmt.Errorf("read fact base: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read fact base: %s: %w", name, err)
	}
	return nil
}
