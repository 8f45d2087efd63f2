package store

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/contextcore/ccdestroy/internal/lab/s3lab"
)

func TestAddress(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte("[default]\nregion = eu-west-1\n[profile team]\nregion = eu-north-1\nendpoint_url = https://s3.example.com:9000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		env  []string
		want string // bucket prefix endpoint region virtual
	}{
		{"s3://acme-audit/teardowns", nil, "acme-audit teardowns <nil> us-east-1 auto"},
		{"s3://acme.audit//a/b/", []string{"AWS_DEFAULT_REGION=x", "AWS_REGION=eu-central-1"}, "acme.audit a/b <nil> eu-central-1 auto"},
		{"s3://audit", []string{"AWS_ENDPOINT_URL=http://all", "AWS_ENDPOINT_URL_S3=http://s3:1"}, "audit  http://s3:1 us-east-1 auto"},
		{"s3://audit?addressing=virtual&region=r&endpoint=https://h", []string{"AWS_ENDPOINT_URL=http://all", "AWS_REGION=x"}, "audit  https://h r true"},
		{"s3://audit?addressing=path", []string{"AWS_CONFIG_FILE=" + config}, "audit  <nil> eu-west-1 false"},
		{"s3://audit", []string{"AWS_CONFIG_FILE=" + config, "AWS_PROFILE=team"}, "audit  https://s3.example.com:9000 eu-north-1 auto"},
		{"s3://audit", []string{"AWS_CONFIG_FILE=" + config, "AWS_PROFILE=none"}, "audit  <nil> us-east-1 auto"},
		{"", nil, ""}, {"s3://", nil, ""}, {"audit/x", nil, ""}, {"http://audit/x", nil, ""}, {"s3://A_b/x", nil, ""}, {"s3://ab", nil, ""}, {"s3://key:secret@audit/x", nil, ""},
		{"s3://audit/a/../b", nil, ""}, {"s3://audit/a//b", nil, ""}, {"s3://audit/x#y", nil, ""}, {"s3://audit?region=", nil, ""}, {"s3://audit?region=a&region=b", nil, ""},
		{"s3://audit?addressing=other", nil, ""}, {"s3://audit?secret=x", nil, ""}, {"s3://audit?endpoint=ftp://x", nil, ""}, {"s3://audit?endpoint=https://u:p@h", nil, ""},
		{"s3://audit", []string{"AWS_ENDPOINT_URL=nonsense"}, ""}, {"s3://audit", []string{"AWS_ENDPOINT_URL=https://h/path"}, ""},
	} {
		a, err := parseAddress(c.text, s3lab.Getenv(append([]string{"HOME=/nonexistent"}, c.env...)))
		virtual := "auto"
		if a.Virtual != nil {
			virtual = fmt.Sprint(*a.Virtual)
		}
		got := fmt.Sprint(a.Bucket, " ", a.Prefix, " ", a.Endpoint, " ", a.Region, " ", virtual)
		if c.want == "" && err == nil || c.want != "" && (err != nil || got != c.want) {
			t.Errorf("%q %q: %q, %v", c.text, c.env, got, err)
		}
	}
}

// Of an address that looks right, the bucket's name is what is wrong.
func TestAddressNamesTheBucket(t *testing.T) {
	if _, err := parseAddress("s3://x/y", s3lab.Getenv(nil)); err == nil || !strings.Contains(err.Error(), `"x" is not the name of a bucket`) {
		t.Error(err)
	}
}

// Credentials come from where the AWS tools have them, and what is wrong with the
// first place that is set up is told.
func TestCredentials(t *testing.T) {
	server := s3lab.Start(t, s3lab.Options{})
	server.Bucket("audit", false)
	root := server.Root
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	cloud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && r.FormValue("Action") == "AssumeRoleWithWebIdentity" && strings.TrimSpace(r.FormValue("WebIdentityToken")) == "a token" && r.FormValue("RoleArn") == "arn:aws:iam::1:role/runner":
			fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, root.Key, root.Secret, soon)
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Code>InvalidIdentityToken</Code><Message>no such token</Message></Error></ErrorResponse>`)
		case r.URL.Path == "/latest/api/token":
			fmt.Fprint(w, "t")
		case r.URL.Path == "/latest/meta-data/iam/security-credentials/":
			fmt.Fprint(w, "machine")
		case r.URL.Path == "/latest/meta-data/iam/security-credentials/machine", r.URL.Path == "/container":
			fmt.Fprintf(w, `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":%q,"SecretAccessKey":%q,"Token":"","Expiration":%q,"LastUpdated":%q}`, root.Key, root.Secret, soon, soon)
		default:
			http.NotFound(w, r)
		}
	}))
	defer cloud.Close()
	none := []string{"HOME=/nonexistent", "AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent", "AWS_EC2_METADATA_DISABLED=true"}
	file := write("credentials", "[default]\naws_access_key_id=x\naws_secret_access_key=y\n[team]\naws_access_key_id="+root.Key+"\naws_secret_access_key="+root.Secret+"\n")
	token, bad := write("token", "a token\n"), write("bad", "another")
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"variables":          {[]string{"AWS_ACCESS_KEY_ID=" + root.Key, "AWS_SECRET_ACCESS_KEY=" + root.Secret, "AWS_WEB_IDENTITY_TOKEN_FILE=" + bad}, ""},
		"wrong variables":    {[]string{"AWS_ACCESS_KEY_ID=" + root.Key, "AWS_SECRET_ACCESS_KEY=wrong"}, "SignatureDoesNotMatch"},
		"a profile":          {[]string{"AWS_SHARED_CREDENTIALS_FILE=" + file, "AWS_PROFILE=team"}, ""},
		"another profile":    {[]string{"AWS_SHARED_CREDENTIALS_FILE=" + file, "AWS_PROFILE=none"}, "credentials of the profile in AWS_PROFILE"},
		"the default":        {[]string{"AWS_SHARED_CREDENTIALS_FILE=" + file}, "InvalidAccessKeyId"},
		"web identity":       {[]string{"AWS_WEB_IDENTITY_TOKEN_FILE=" + token, "AWS_ROLE_ARN=arn:aws:iam::1:role/runner", "AWS_ENDPOINT_URL_STS=" + cloud.URL}, ""},
		"a wrong identity":   {[]string{"AWS_WEB_IDENTITY_TOKEN_FILE=" + bad, "AWS_ROLE_ARN=arn:aws:iam::1:role/runner", "AWS_ENDPOINT_URL_STS=" + cloud.URL}, "credentials from web identity: no such token"},
		"a container's role": {[]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + cloud.URL + "/container"}, ""},
		"a machine's role":   {[]string{"AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT=" + cloud.URL}, ""},
		"nothing":            {nil, "no credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			env := append(append([]string{}, none...), c.env...)
			for _, v := range env { // the library looks there itself
				name, value, _ := strings.Cut(v, "=")
				t.Setenv(name, value)
			}
			for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"} {
				if s3lab.Getenv(env)(name) == "" {
					t.Setenv(name, "")
				}
			}
			b, err := OpenS3("s3://audit/team?endpoint="+server.URL, s3lab.Getenv(env))
			if err != nil {
				t.Fatal(err)
			}
			err = b.Put(t.Context(), "v1/"+strings.ReplaceAll(name, " ", "-")+".json", []byte("{}"))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
