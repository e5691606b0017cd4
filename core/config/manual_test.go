package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

const manual = "../../config.toml"

func readManual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The file has every key of the table at its default and in its order, and no other key.
func TestManualHasAllDefaults(t *testing.T) {
	var tables map[string]map[string]any
	md, err := toml.Decode(readManual(t), &tables)
	if err != nil {
		t.Fatal(err)
	}
	var inFile, inTable []string
	for _, k := range md.Keys() {
		if len(k) == 2 {
			inFile = append(inFile, k.String())
		}
	}
	for i := range keys {
		k := &keys[i]
		inTable = append(inTable, k.Name)
		section, name, _ := strings.Cut(k.Name, ".")
		if got := tables[section][name]; !reflect.DeepEqual(got, k.Default) {
			t.Errorf("%s: the file has %#v, the default is %#v", k.Name, got, k.Default)
		}
	}
	if !slices.Equal(inFile, inTable) {
		t.Errorf("keys of the file\n%v\nand of the table\n%v", inFile, inTable)
	}
}

// What the file says amounts to Default, field for field.
func TestManualIsDefault(t *testing.T) {
	c, problems := Load("config.toml", []byte(readManual(t)))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	c.source = origin{}
	if !reflect.DeepEqual(c, Default()) {
		t.Errorf("loaded\n%+v\nwant\n%+v", c, Default())
	}
	if d := Diff(c, Default()); d != nil {
		t.Errorf("differences %v", d)
	}
}

// Above every key stands what range it has and whether a reload applies it, as the code has it.
func TestManualExplainsKeys(t *testing.T) {
	text := readManual(t)
	lines := strings.Split(text, "\n")
	src := scan("config.toml", text)
	for i := range keys {
		k := &keys[i]
		if want := "# " + explain(k); lines[src.lines[k.Name]-2] != want {
			t.Errorf("above %s stands\n%s\nwant\n%s", k.Name, lines[src.lines[k.Name]-2], want)
		}
	}
}

// explain returns the line with which config.toml ends the comment of a key.
func explain(k *key) string {
	values, reload := k.Range(), "no"
	if k.Reload {
		reload = "yes"
	}
	if _, ok := k.Default.(bool); ok {
		values = "true, false"
	}
	if values != "" {
		values = "Range: " + values + ". "
	}
	return values + "Reload: " + reload + "."
}

// The examples of the file, made real, are a configuration without problems.
func TestManualExamples(t *testing.T) {
	example := regexp.MustCompile(`(?m)^#([^ \n])`)
	text := example.ReplaceAllString(readManual(t), "$1")
	c, problems := Load("config.toml", []byte(text))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if len(c.Forward) != 1 || len(c.Stub) != 1 || len(c.Zone) != 1 {
		t.Fatalf("forward %v, stub %v, zone %v", c.Forward, c.Stub, c.Zone)
	}
	if got := c.Stub[0].Zone.String() + c.Stub[0].Servers[0].String(); got != "corp.example.192.0.2.54:53" {
		t.Errorf("stub %s", got)
	}
}

// Every field of Config is a key or an array of tables, and every key a field.
func TestKeysAreFields(t *testing.T) {
	var fields []string
	c := reflect.TypeFor[Config]()
	for i := range c.NumField() {
		section := c.Field(i)
		if section.Type.Kind() != reflect.Struct || section.Name == "source" {
			continue
		}
		for j := range section.Type.NumField() {
			fields = append(fields, section.Tag.Get("toml")+"."+section.Type.Field(j).Tag.Get("toml"))
		}
	}
	var names []string
	for i := range keys {
		names = append(names, keys[i].Name)
	}
	slices.Sort(fields)
	slices.Sort(names)
	if !slices.Equal(fields, names) {
		t.Errorf("fields\n%v\nkeys\n%v", fields, names)
	}
	for table, keys := range map[any][]key{new(Upstream): upstreamKeys, new(Zone): zoneKeys} {
		for i := range keys {
			keys[i].field(table)
		}
		if n := reflect.TypeOf(table).Elem().NumField(); n != len(keys) {
			t.Errorf("%T has %d fields and %d keys", table, n, len(keys))
		}
	}
}

// Bounds stand the right way round, and every default is within them.
func TestKeyTable(t *testing.T) {
	for i := range keys {
		k := &keys[i]
		if k.Min > k.Max || k.Min < 0 {
			t.Errorf("%s: bounds %d to %d", k.Name, k.Min, k.Max)
		}
		if f := k.set(Default(), k.Default); f != nil {
			t.Errorf("%s: default %v: %s", k.Name, k.Default, f[0].message)
		}
	}
}

// Tools outside of the project rely on these names and defaults.
func TestFixedKeys(t *testing.T) {
	fixed := `
		server.listen = ["127.0.0.1:1053", "[::1]:1053"]
		cpu.shards = "auto"
		cpu.pin = true
		io.backend = "auto"
		io.batch = 64
		xdp.mode = "off"
		xdp.interfaces = []
		xdp.answer_cache = true
		xdp.answer_entries = 65536
		xdp.answer_min_hits = 4
		xdp.steer = "flow"
		cache.memory = "256MiB"
		cache.engine = "segment"
		cache.min_ttl = "0s"
		cache.max_ttl = "24h"
		cache.max_negative_ttl = "1h"
		recursion.enabled = true
		recursion.root_hints = ""
		recursion.trust_anchors = ""
		recursion.validation = true
		recursion.validation_time = ""
		recursion.qname_minimisation = true
		recursion.allow = ["127.0.0.0/8", "::1/128"]
		recursion.ipv4 = true
		recursion.ipv6 = true
		recursion.query_loopback = false
		recursion.harden_glue = true
		recursion.negative_trust_anchors = []
		local.special_names = true
		admin.socket = "heimdall.sock"
		admin.metrics = ""`
	c := Default()
	for line := range strings.Lines(strings.TrimSpace(fixed)) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), " = ")
		i := slices.IndexFunc(keys, func(k key) bool { return k.Name == name })
		if i < 0 {
			t.Errorf("no key %s", name)
		} else if got := format(keys[i].field(c)); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}
