package store

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"gopkg.in/ini.v1"
)

// Address is where a store is: s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME&addressing=path|virtual].
type Address struct {
	Bucket string
	Prefix string // "" or without slashes at its ends

	Endpoint *url.URL // of the server; nil is Amazon's
	Region   string
	Virtual  *bool // BUCKET.host instead of host/BUCKET; nil is what the server's kind suggests
}

// bucketName is what S3 takes as the name of a bucket.
var bucketName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`) })

// defaultRegion is for servers that have none.
const defaultRegion = "us-east-1"

// parseAddress reads the address of a store. What it does not say comes from the
// variables of the AWS tools, and then from the profile of their files.
func parseAddress(text string, getenv func(string) string) (Address, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil || u.Fragment != "":
		return Address{}, fmt.Errorf("%q is not an address of a store: s3://BUCKET/PREFIX", text)
	case !bucketName().MatchString(u.Host):
		return Address{}, fmt.Errorf("%q is not an address of a store: %q is not the name of a bucket: 3 to 63 lower-case letters, digits, . and -", text, u.Host)
	}
	a := Address{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Address{}, fmt.Errorf("%q: %w", text, err)
	}
	for name, values := range query {
		switch {
		case len(values) != 1 || values[0] == "":
			return Address{}, fmt.Errorf("%q: one value of %s is wanted", text, name)
		case name == "endpoint", name == "region":
		case name == "addressing" && (values[0] == "path" || values[0] == "virtual"):
			virtual := values[0] == "virtual"
			a.Virtual = &virtual
		default:
			return Address{}, fmt.Errorf("%q: unknown parameter %s=%s", text, name, values[0])
		}
	}
	for part := range strings.SplitSeq(a.Prefix, "/") {
		if part == "." || part == ".." || part == "" && a.Prefix != "" {
			return Address{}, fmt.Errorf("%q: %q cannot be a part of the prefix", text, part)
		}
	}
	profile := profileOf(getenv)
	a.Region = cmp.Or(query.Get("region"), getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), profile("region"), defaultRegion)
	return a, a.reach(cmp.Or(query.Get("endpoint"), getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL"), profile("endpoint_url")))
}

// reach sets the server.
func (a *Address) reach(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return fmt.Errorf("%q is not an address of a server: https://HOST[:PORT]", endpoint)
	}
	a.Endpoint = u
	return nil
}

// String is the address in short, with the server where it is not Amazon's: the same
// bucket on another server is another store.
func (a Address) String() string {
	text := "s3://" + a.Bucket
	if a.Prefix != "" {
		text += "/" + a.Prefix
	}
	if a.Endpoint != nil {
		text += " at " + a.Endpoint.Host
	}
	return text
}

// key is a key in the bucket.
func (a Address) key(below string) string {
	if a.Prefix == "" {
		return below
	}
	return a.Prefix + "/" + below
}

// below is what key was made of.
func (a Address) below(key string) string {
	if a.Prefix == "" {
		return key
	}
	return strings.TrimPrefix(key, a.Prefix+"/")
}

// configFile is the one that the AWS tools read besides the credentials.
func configFile(getenv func(string) string) string {
	if file := getenv("AWS_CONFIG_FILE"); file != "" {
		return file
	}
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE"))
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".aws", "config")
}

// profileOf looks settings up in the profile of the AWS tools' configuration. A
// file that cannot be read has none.
func profileOf(getenv func(string) string) func(key string) string {
	name := cmp.Or(getenv("AWS_PROFILE"), "default")
	file := configFile(getenv)
	return func(key string) string {
		if file == "" {
			return ""
		}
		all, err := ini.LooseLoad(file)
		if err != nil {
			return ""
		}
		section := "profile " + name
		if name == "default" && !all.HasSection(section) {
			section = name
		}
		if s, err := all.GetSection(section); err == nil {
			return s.Key(key).String()
		}
		return ""
	}
}
