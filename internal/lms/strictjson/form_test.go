package strictjson_test

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/strictjson"
)

func TestDecodeForm(t *testing.T) {
	for body, want := range map[string]string{
		``:                               `{}`,
		`&&`:                             `{}`,
		`a=1&b=x`:                        `{"a":"1","b":"x"}`,
		`a=1&`:                           `{"a":"1"}`,
		`a`:                              `{"a":""}`,
		`a=`:                             `{"a":""}`,
		`=a`:                             `{"":"a"}`,
		`a=b=c`:                          `{"a":"b=c"}`,
		`a+b=c+d%2B%26%3D`:               `{"a b":"c d+&="}`,
		`n%C3%A4me=%E2%82%AC`:            "{\"n\u00e4me\":\"\u20ac\"}",
		"n\u00e4me=\u20ac":               "{\"n\u00e4me\":\"\u20ac\"}",
		`user[email]=a%40b&user[id]=007`: `{"user[email]":"a@b","user[id]":"007"}`,
		`a;b=1`:                          `{"a;b":"1"}`,
		`null=null&t=true`:               `{"null":"null","t":"true"}`,
	} {
		value, err := strictjson.DecodeForm([]byte(body), strictjson.DefaultLimits())
		require.NoError(t, err, body)
		require.Equal(t, want, string(value.JSON()), body)
	}
}

func TestDecodeFormRefuses(t *testing.T) {
	for body, want := range map[string]string{
		`id=1&id=2`:               "key given twice at byte 9, id",
		`id=1&i%64=1`:             "key given twice at byte 11, id",
		`id&id`:                   "key given twice at byte 5, id",
		`jordan%40x=1&jordan@x=2`: "key given twice at byte 23, ?",
		`a=%`:                     "invalid escape at byte 3, a",
		`a=%4`:                    "invalid escape at byte 4, a",
		`a=1&b=%zz&c=2`:           "invalid escape at byte 9, b",
		`%zz=1`:                   "invalid escape at byte 5",
		`a=%ff`:                   "invalid UTF-8 at byte 5, a",
		`%ff=a`:                   "invalid UTF-8 at byte 5",
		"a=\xff":                  "invalid UTF-8 at byte 3, a",
		`a=%ed%a0%80`:             "invalid UTF-8 at byte 11, a",
		"\ufeffa=1":               "byte order mark at byte 6",
		`a=%EF%BB%BFx`:            "byte order mark at byte 12, a",
		`a=1&b=2&c=3`:             "more than 5 tokens at byte 11",
	} {
		_, err := strictjson.DecodeForm([]byte(body), strictjson.Limits{Depth: 1, Tokens: 5})
		var refused *strictjson.Error
		require.ErrorAs(t, err, &refused, body)
		require.EqualError(t, err, want, body)
	}
}

func TestDecodeBody(t *testing.T) {
	for contentType, form := range map[string]bool{
		"application/x-www-form-urlencoded":                  true,
		"application/x-www-form-urlencoded; charset=UTF-8":   true,
		"Application/X-WWW-Form-Urlencoded":                  true,
		"application/x-www-form-urlencoded; charset":         true,
		"application/json":                                   false,
		"application/json; charset=utf-8":                    false,
		"":                                                   false,
		"text/plain; x=application/x-www-form-urlencoded":    false,
		"application/x-www-form-urlencoded-not, more / text": false,
	} {
		value, err := strictjson.DecodeBody(contentType, []byte(`7`), strictjson.DefaultLimits())
		require.NoError(t, err)
		require.Equal(t, form, value.Kind() == strictjson.Object, contentType)
	}
}

// TestDecodeAnyType: what a body looks like decides, and the Content-Type only where it looks like neither.
func TestDecodeAnyType(t *testing.T) {
	const space = " \t\r\n"
	types := []string{"", "application/json", "application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "?"}
	for body, want := range map[string]string{
		`{"a":"b=c"}`:            `{"a":"b=c"}`,
		space + `[1]`:            `[1]`,
		`"a=b"`:                  `"a=b"`,
		`a=1&b=x`:                `{"a":"1","b":"x"}`,
		`Course+Name=x%20y`:      `{"Course Name":"x y"}`,
		`user[email]=a%40b&c`:    `{"c":"","user[email]":"a@b"}`,
		`7=x`:                    `{"7":"x"}`,
		`null=1`:                 `{"null":"1"}`,
		`%F0%9F%8E%93=&-_.*~=ok`: "{\"-_.*~\":\"ok\",\"\U0001f393\":\"\"}",
	} {
		for _, contentType := range types {
			value, err := strictjson.DecodeAnyType(contentType, []byte(body), strictjson.DefaultLimits())
			require.NoError(t, err, "%s as %s", body, contentType)
			require.Equal(t, want, string(value.JSON()))
		}
	}
	for body, want := range map[string]string{
		`{`: "incomplete JSON", `[1`: "incomplete JSON", `{"a":1,"a":2}`: "key given twice", `a=1&a=2`: "key given twice",
		`{}a=1`: "more than one value",
	} {
		for _, contentType := range types {
			_, err := strictjson.DecodeAnyType(contentType, []byte(body), strictjson.DefaultLimits())
			require.ErrorContains(t, err, want, "%s as %s", body, contentType)
		}
	}
	for _, body := range []string{`<html lang="en">`, "--x\r\nContent-Disposition: form-data; name=a", `a`, `a b=1`, `eyJhbGciOiJSUzI1NiJ9.e30.`} {
		_, err := strictjson.DecodeAnyType("text/plain", []byte(body), strictjson.DefaultLimits())
		require.Error(t, err, "%s is no form: nobody said so, and it does not look like one", body)
	}
	for body, want := range map[string]string{``: `{}`, `a`: `{"a":""}`} {
		value, err := strictjson.DecodeAnyType("application/x-www-form-urlencoded", []byte(body), strictjson.DefaultLimits())
		require.NoError(t, err)
		require.Equal(t, want, string(value.JSON()))
		_, err = strictjson.DecodeAnyType("", []byte(body), strictjson.DefaultLimits())
		require.Error(t, err)
	}
}

// FuzzDecodeForm holds that what is accepted is what net/url reads too, every key once and all of it UTF-8.
func FuzzDecodeForm(f *testing.F) {
	for _, seed := range []string{`a=1&b=2`, `a=1&a=2`, `a+b=%2B`, `%ff`, `a=%zz`, `&&=&`, "\ufeffa", `a=b=c;d`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		value, err := strictjson.DecodeForm(body, strictjson.Limits{Tokens: 100})
		if err != nil {
			var refused *strictjson.Error
			require.ErrorAs(t, err, &refused)
			require.LessOrEqual(t, refused.Offset, int64(len(body)))
			return
		}
		read := strictjson.Value{}.With("", strictjson.Value{})
		for pair := range strings.SplitSeq(string(body), "&") {
			if pair == "" {
				continue
			}
			key, text, _ := strings.Cut(pair, "=")
			key, err := url.QueryUnescape(key)
			require.NoError(t, err)
			text, err = url.QueryUnescape(text)
			require.NoError(t, err)
			require.Equal(t, strictjson.Absent, read.Member(key).Kind(), "a key once")
			read = read.With(key, strictjson.StringOf(text))
		}
		require.Equal(t, string(read.JSON()), string(value.JSON()))
		require.LessOrEqual(t, len(value.Keys()), 50)
		require.True(t, utf8.Valid(value.JSON()))
	})
}
