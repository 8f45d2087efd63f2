package store

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// errNoCredentials says that no member of the chain has any.
var errNoCredentials = errors.New("no credentials: neither in AWS_ACCESS_KEY_ID, nor from a web identity, nor in the files of the AWS tools, nor from this machine's role")

// credentialsFrom finds credentials where the AWS tools do, in their order: variables, web
// identity, the files, the role of the container or the machine. The first of them
// that is set up is the one: what is wrong with it is an error, where going on would
// only end in a refusal that says less.
func credentialsFrom(getenv func(string) string, client *http.Client) *credentials.Credentials {
	if id, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"); id != "" && secret != "" {
		return credentials.NewStaticV4(id, secret, getenv("AWS_SESSION_TOKEN"))
	}
	if file := getenv("AWS_WEB_IDENTITY_TOKEN_FILE"); file != "" {
		return credentials.New(&told{"web identity", &credentials.IAM{Client: client, Endpoint: getenv("AWS_ENDPOINT_URL_STS"), Region: cmp.Or(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"))}})
	}
	role := told{"the role of this container", &credentials.IAM{Client: client}}
	if getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") == "" && getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") == "" {
		role = told{"the role of this machine", &credentials.IAM{Client: metadataClient(), Endpoint: getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT")}}
		if getenv("AWS_EC2_METADATA_DISABLED") == "true" {
			role.Provider = none{}
		}
	}
	return credentials.New(&fileOrRole{file: credentials.FileAWSCredentials{}, role: role, named: getenv("AWS_PROFILE") != ""})
}

// metadataLimit is how long a machine's metadata service may take to be reached.
// Outside of a cloud nothing answers at its address.
const metadataLimit = time.Second

func metadataClient() *http.Client {
	dial := net.Dialer{Timeout: metadataLimit}
	return &http.Client{Timeout: 5 * metadataLimit, Transport: &http.Transport{DialContext: dial.DialContext}} // without a proxy
}

// credentialsError is why there are no credentials, although a source of them is set
// up.
type credentialsError struct{ error }

func (e *credentialsError) Unwrap() error { return e.error }

// told is a provider whose errors say what it is.
type told struct {
	what string
	credentials.Provider
}

func (p told) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := p.Provider.RetrieveWithCredContext(cc)
	if err != nil {
		return v, &credentialsError{fmt.Errorf("credentials from %s: %w", p.what, err)}
	}
	return v, nil
}

// fileOrRole is the files of the AWS tools or, where they have no such profile, the
// role of the machine.
type fileOrRole struct {
	file  credentials.FileAWSCredentials
	role  told
	named bool // a profile was asked for by name

	from credentials.Provider // that gave the newest ones
}

func (p *fileOrRole) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	v, err := p.file.RetrieveWithCredContext(cc)
	if err == nil && v.AccessKeyID != "" {
		p.from = &p.file
		return v, nil
	}
	if p.named {
		if err == nil {
			err = errors.New("it has none")
		}
		return v, &credentialsError{fmt.Errorf("credentials of the profile in AWS_PROFILE: %w", err)}
	}
	p.from = p.role
	v, roleErr := p.role.RetrieveWithCredContext(cc)
	if roleErr == nil && v.AccessKeyID != "" {
		return v, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return v, fmt.Errorf("%w; the files: %w", errNoCredentials, err)
	}
	return v, errNoCredentials
}

func (p *fileOrRole) Retrieve() (credentials.Value, error) { return p.RetrieveWithCredContext(nil) }

func (p *fileOrRole) IsExpired() bool { return p.from == nil || p.from.IsExpired() }

// none has no credentials.
type none struct{}

func (none) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	return credentials.Value{}, errNoCredentials
}
func (none) Retrieve() (credentials.Value, error) { return credentials.Value{}, errNoCredentials }
func (none) IsExpired() bool                      { return true }
