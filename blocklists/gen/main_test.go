package main

import (
	"math/bits"
	"testing"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	source := "package publicsuffix\n\nvar rules = [...]string{\n\t\"ac\",\n\t\"com.ac\",\n\t\"*.ck\",\n\t\"!www.ck\",\n}\n\nvar nodeLabels = [...]string{\n\t\"x\",\n}\n"
	filter, rules, err := filter([]byte(source))
	if err != nil || rules != 3 || len(filter) != octets {
		t.Fatalf("%d rules in %d octets: %v, want 3 in %d", rules, len(filter), err, octets)
	}
	set := 0
	for _, b := range filter {
		set += bits.OnesCount8(b)
	}
	if set != 6 {
		t.Errorf("%d bits are set, want 6", set)
	}
}

func TestFilterRefusesWhatIsNoName(t *testing.T) {
	t.Parallel()
	if _, _, err := filter([]byte("\t\"a..b\",\n")); err == nil {
		t.Error("no error")
	}
}
