package config

// Place is embedded in every object of the files, and knows where the object and its fields were written. It is filled in
// by the decoder and read-only afterwards.
type Place struct {
	Pos Pos // of the object's first key

	fields map[place]Pos
	faulty bool // something in the object was at fault and is missing from it
}

// place is one field of an object by its key in the file, or one element of it. The field as a whole has the element -1.
type place struct {
	key     string
	element int
}

const whole = -1

// At is where the value of a key was written, or that of the object if the key is not there.
func (p *Place) At(key string) Pos { return p.AtElement(key, whole) }

// AtElement is where an element (from 0) of the list under a key was written, or the next best place.
func (p *Place) AtElement(key string, element int) Pos {
	if pos, ok := p.fields[place{key, element}]; ok {
		return pos
	}
	if pos, ok := p.fields[place{key, whole}]; ok {
		return pos
	}
	return p.Pos
}

// Has says whether the key is written there, even as an empty list.
func (p *Place) Has(key string) bool {
	_, ok := p.fields[place{key, whole}]
	return ok
}

// HasElement says whether that element (from 0) of the list under a key is written somewhere: what is added to an object when files are
// put together may be written nowhere.
func (p *Place) HasElement(key string, element int) bool {
	_, ok := p.fields[place{key, element}]
	return ok
}

// unread says whether what is written there is no object at all, so that nothing of it was read.
func (p *Place) unread() bool { return p.faulty && p.fields == nil }

func (p *Place) set(key string, element int, pos Pos) {
	if p.fields == nil {
		p.fields = make(map[place]Pos)
	}
	p.fields[place{key, element}] = pos
}
