package s3lab

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// Late lets the request take effect after one time, and its answer come after another.
func Late(effect, result time.Duration) Fault {
	return func(w http.ResponseWriter, _ *http.Request, forward func() *http.Response) {
		time.Sleep(effect)
		resp := forward()
		time.Sleep(result)
		answer(w, resp)
	}
}

// Skewed has the request as a client of this account sends it whose clock goes wrong by
// so much: signed at that time, and answered at another one.
func Skewed(a Account, by time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) {
		sign(r, a, time.Now().Add(by))
		resp := forward()
		if resp != nil {
			resp.Header.Set("Date", time.Now().Add(-by).UTC().Format(http.TimeFormat))
		}
		answer(w, resp)
	}
}

// sign signs a request anew, as of another time: AWS Signature Version 4.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func sign(r *http.Request, a Account, at time.Time) {
	stamp := at.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Amz-Date", stamp)
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential="+a.Key+"/")
	rest, _, _ = strings.Cut(rest, ", Signature=")
	scope, names, _ := strings.Cut(rest, ", SignedHeaders=")
	scope = stamp[:8] + scope[8:]
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20") + "\n"
	for name := range strings.SplitSeq(names, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + strings.TrimSpace(value) + "\n"
	}
	canonical += "\n" + names + "\n" + r.Header.Get("X-Amz-Content-Sha256")
	sum := sha256.Sum256([]byte(canonical))
	key := []byte("AWS4" + a.Secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+a.Key+"/"+scope+", SignedHeaders="+names+", Signature="+signature)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
