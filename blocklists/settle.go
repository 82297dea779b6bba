package blocklists

import (
	"iter"

	"github.com/gaissmai/bart"

	"cordon/blocklists/domain"
)

// settle resolves what rules say of other rules, when all of them are there: afterwards a look-up has to compare no more than
// the lengths of names.
func (c *compactor) settle() error {
	if !c.allowing {
		return nil
	}
	c.cancelNames()
	c.cancelNetworks()
	return c.markHoles()
}

// cancelNames takes what blocks out of the records below a cancelled name, and makes the cancels plain allows.
func (c *compactor) cancelNames() {
	var canceling []int
	for off := range records(&c.arena) {
		name := recordName(c.arena, off)
		said := readTrailer(c.arena, off+len(name))
		if said.cancelsAny() {
			canceling = append(canceling, off+len(name))
		}
		if said.blocks() && c.isCanceled(name) {
			c.canceled++
			writeTrailer(c.arena, off+len(name), said.withoutBlocks())
		}
	}
	for _, off := range canceling {
		writeTrailer(c.arena, off, readTrailer(c.arena, off).settled())
	}
}

// isCanceled says whether a name above name cancels what is below it.
func (c *compactor) isCanceled(name []byte) bool {
	for start, h := range suffixHashes(c.key, name) {
		if start == 0 {
			break
		}
		labels := name[start : len(name)-1]
		if _, off := c.find(h, labels); off > 0 && readTrailer(c.arena, off+len(labels)+1).below == cancels {
			return true
		}
	}
	return false
}

// markHoles notes, at every name that is blocked and has an allowed name below it, that it has one.
func (c *compactor) markHoles() error {
	for off := range records(&c.arena) {
		name := recordName(c.arena, off)
		if !readTrailer(c.arena, off+len(name)).allows() {
			continue
		}
		if err := c.markAbove(domain.Name(name)); err != nil { // a copy: the arena moves when it grows
			return err
		}
	}
	return nil
}

func (c *compactor) markAbove(name domain.Name) error {
	blocked := false
	for start, h := range suffixHashes(c.key, []byte(name)) {
		if start == 0 {
			break
		}
		above := name[start:]
		if _, off := c.find(h, []byte(above[:len(above)-1])); off > 0 {
			if said := readTrailer(c.arena, off+len(above)); said.below != Nothing {
				blocked = said.below == Blocks
			}
		}
		if !blocked {
			continue
		}
		if err := c.addName(above, ruling{holed: true}); err != nil {
			return err
		}
	}
	return nil
}

// cancelNetworks drops the networks that block within a cancelled one, and makes the cancels plain allows.
func (c *compactor) cancelNetworks() {
	var canceled bart.Lite
	for prefix, said := range c.networks {
		if said.cancelsAny() {
			canceled.Insert(prefix)
			c.networks[prefix] = said.settled()
		}
	}
	for prefix, said := range c.networks {
		if said.blocks() && canceled.LookupPrefix(prefix) {
			c.canceled++
			delete(c.networks, prefix)
		}
	}
}

// suffixHashes yields where each suffix of a wire name begins, and its hash, from the shortest to the name itself.
func suffixHashes(k hashKey, name []byte) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		var starts [maxLabels]uint8
		h := k.start
		for i := splitName(&starts, name) - 1; i >= 0; i-- {
			h = k.label(h, name, int(starts[i]))
			if !yield(int(starts[i]), h) {
				return
			}
		}
	}
}
