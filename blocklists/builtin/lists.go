package builtin

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// List says what one of the lists is, for people who choose.
type List struct {
	Name       string   // for Open: "tiktok", "service/capcut"
	Title      string   // "CapCut / JianYing / Dreamina"
	About      string   // what is in it, a sentence or two
	Collateral string   // what else breaks, "" if nothing is known to
	Tier       int      // of a service: 1 needed for a ban of TikTok, 2 other applications, 3 the rest; 0 of a preset
	Services   []string // of a preset: the names of the lists in it, in the order of its text; nil of a service
}

// Lists are all lists: the presets, then the services in alphabetical order. The caller owns the result.
func Lists() []List {
	all := presets()
	for _, service := range services() {
		all = append(all, List{
			Name: service.list, Title: service.header("title"), About: service.header("about"),
			Collateral: service.header("collateral"), Tier: service.tier(),
		})
	}
	return all
}

// file is one embedded file that lists are made of.
type file struct {
	list string // the name of the list that is this file alone
	text string // ends with a line end
}

// header is the value of a line "# key: value" above the first rule, "" if there is none.
func (f file) header(key string) string {
	for line := range strings.Lines(f.text) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		if value, ok := strings.CutPrefix(line, "# "+key+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (f file) tier() int {
	tier, _ := strconv.Atoi(f.header("tier")) // the generator writes a number; without one, a file is in no preset
	return tier
}

// services is the files of names, in alphabetical order.
func services() []file {
	entries, _ := data.ReadDir("data/names") // embedded: there is no error
	files := make([]file, 0, len(entries))
	for _, entry := range entries {
		id := strings.TrimSuffix(entry.Name(), ".txt")
		files = append(files, file{servicePrefix + id, embedded(path.Join("names", entry.Name()))})
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.list, b.list) }) // "tiktok.txt" stands behind "tiktok-ads.txt"
	return files
}

// embedded is the content of a data file.
func embedded(name string) string {
	content, _ := data.ReadFile(path.Join("data", name)) // embedded; a test reads every one
	return string(content)
}

// presets are the lists that are not one service.
func presets() []List {
	networks, addresses := file{networksName, embedded("networks.txt")}, file{addressesName, embedded("addresses.txt")}
	return []List{
		{
			Name: "tiktok", Title: "TikTok", Services: ofTiers(1),
			About:      "TikTok, its shop and advertising, and the back ends, CDN names and look-up services that it cannot do without.",
			Collateral: "The back ends are shared: CapCut, Lark and Douyin lose images and settings too.",
		},
		{
			Name: Default, Title: "TikTok and ByteDance applications", Services: ofTiers(1, 2),
			About:      "The list tiktok, and ByteDance's other applications, advertising and company sites.",
			Collateral: "Advertisements of the Pangle kit fail in other parties' applications; the developer tools Trae and Coze stop.",
		},
		{
			Name: "bytedance-all", Title: "Everything of ByteDance", Services: ofTiers(1, 2, 3),
			About:      "The list bytedance, and games, headsets, Lark, the clouds and services that only China uses.",
			Collateral: "Customers of the Volcano Engine and BytePlus clouds are hit, and meetings in Lark. Announce it before.",
		},
		{
			Name: networksName, Title: networks.header("title"),
			About: networks.header("about"), Collateral: networks.header("collateral"),
		},
		{
			Name: addressesName, Title: addresses.header("title"),
			About: addresses.header("about"), Collateral: addresses.header("collateral"),
		},
	}
}

// ofTiers is the lists of the services in tiers, the first tier first.
func ofTiers(tiers ...int) []string {
	var names []string
	all := services()
	for _, tier := range tiers {
		for _, service := range all {
			if service.tier() == tier {
				names = append(names, service.list)
			}
		}
	}
	return names
}

// files is the files that the text of a preset is made of.
func (l List) files() []file {
	switch l.Name {
	case networksName:
		return []file{{networksName, embedded("networks.txt")}}
	case addressesName:
		return []file{{addressesName, embedded("addresses.txt")}}
	}
	all := services()
	files := make([]file, 0, len(l.Services))
	for _, name := range l.Services {
		i := slices.IndexFunc(all, func(f file) bool { return f.list == name })
		files = append(files, all[i])
	}
	return files
}
