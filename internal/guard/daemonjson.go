package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// pluginsKey is the engine's setting.
const pluginsKey = "authorization-plugins"

// setting is one key of the engine's configuration, with its value as it is
// there.
type setting struct {
	key   string
	value json.RawMessage
}

// settingsOf reads the engine's configuration, and keeps its order.
func settingsOf(text []byte) (all []setting, err error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.Join(err, errors.New("it is not a JSON object"))
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		s := setting{key: fmt.Sprint(key)}
		if err := dec.Decode(&s.value); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	_, err = dec.Token()
	return all, err
}

// pluginsIn are the authorization plugins of a configuration.
func pluginsIn(all []setting) (plugins []string, set bool, err error) {
	i := slices.IndexFunc(all, func(s setting) bool { return s.key == pluginsKey })
	if i < 0 {
		return nil, false, nil
	}
	err = json.Unmarshal(all[i].value, &plugins)
	return plugins, true, err
}

// withPlugins is the configuration with these plugins; nil is without the key.
func withPlugins(all []setting, plugins []string) ([]byte, error) {
	all = slices.Clone(all)
	i := slices.IndexFunc(all, func(s setting) bool { return s.key == pluginsKey })
	switch {
	case plugins == nil && i >= 0:
		all = slices.Delete(all, i, i+1)
	case plugins != nil:
		value, err := json.Marshal(plugins)
		if err != nil {
			return nil, err
		}
		if i < 0 {
			all, i = append(all, setting{key: pluginsKey}), len(all)
		}
		all[i].value = value
	}
	var b, out bytes.Buffer
	b.WriteByte('{')
	for i, s := range all {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(s.key)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(s.value)
	}
	b.WriteByte('}')
	err := json.Indent(&out, b.Bytes(), "", "  ")
	out.WriteByte('\n')
	return out.Bytes(), err
}
