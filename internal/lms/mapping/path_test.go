package mapping_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"countersign/internal/lms/mapping"
	"countersign/internal/lms/strictjson"
)

// oneField is a mapping of one target.
func oneField(t testing.TB, target mapping.Target, f mapping.Field) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{target: f}})
	require.NoError(t, err)
	return m
}

// pick is what a path finds, as JSON; "absent" for nothing.
func pick(t testing.TB, path, body string) string {
	t.Helper()
	r := oneField(t, mapping.Event, mapping.Field{Path: path}).Read(value(t, body))
	v := r.Value(mapping.Event)
	require.NoError(t, r.Err(), path)
	if v.Kind() == strictjson.Absent {
		return "absent"
	}
	return string(v.JSON())
}

const event = `{
	"id": 10291, "score": 91.50, "none": null, "empty": "", "blank": " ", "a.b": "dotted", "it's": "quoted", "true": "keyword",
	"user": {"email": "", "mail": "jd@example.com", "name": "Jane"},
	"list": [null, "", "first", "second", "third"],
	"custom": [{"key": "hr", "value": "HR-4829"}, {"key": "cost", "value": 100}, {"key": "gone"}],
	"deep": {"z": {"code": "last"}, "a": {"b": {"code": "first"}}, "m": [{"code": "middle"}]},
	"zero": 0, "no": false
}`

func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		// Chains and their last names are followed by hand.
		`$.id`:                           `10291`,
		`$['id']`:                        `10291`,
		`$["id"]`:                        `10291`,
		`$.score`:                        `91.50`,
		`$.user.mail`:                    `"jd@example.com"`,
		`$.user['email','mail']`:         `"jd@example.com"`,
		`$.user['mail','name']`:          `"jd@example.com"`,
		`$.user['name','mail']`:          `"Jane"`,
		`$.user['x','y']`:                `absent`,
		`$['none','empty','blank','id']`: `10291`,
		`$['zero','id']`:                 `0`,
		`$['no','id']`:                   `false`,
		`$['a.b']`:                       `"dotted"`,
		`$["it's"]`:                      `"quoted"`,
		`$.true`:                         `"keyword"`,
		`$.list[2]`:                      `"first"`,
		`$.list[-1]`:                     `"third"`,
		`$.list[-5]`:                     `absent`,
		`$.list[5]`:                      `absent`,
		`$.list[-6]`:                     `absent`,
		`$.custom[0].value`:              `"HR-4829"`,
		`$.none`:                         `absent`,
		`$.empty`:                        `absent`,
		`$.blank`:                        `absent`,
		`$.none.more`:                    `absent`,
		`$.none['a','b']`:                `absent`,
		`$.missing.more[0]`:              `absent`,
		`$.ID`:                           `absent`, // keys have their case
		`$ .user .mail`:                  `"jd@example.com"`,
		// The others walk.
		`$.list[*]`:                                 `"first"`,
		`$.list[3,2]`:                               `"second"`,
		`$.list[1:]`:                                `"first"`,
		`$.list[::-1]`:                              `"third"`,
		`$.list[-2:]`:                               `"second"`,
		`$.list[3:0:-2]`:                            `"second"`,
		`$.list[::0]`:                               `absent`,
		`$.list['x',-2]`:                            `"second"`,
		`$.list['x',4]`:                             `"third"`,
		`$.user['email','name'][0]`:                 `absent`,
		`$['user','list'][2]`:                       `"first"`,
		`$.user[*]`:                                 `"jd@example.com"`, // members in the order of their keys
		`$.custom[?@.key=='hr'].value`:              `"HR-4829"`,
		`$.custom[?@.key!='hr'].value`:              `100`,
		`$.custom[?@.value>99].key`:                 `"cost"`,
		`$.custom[?@.value==100.0].key`:             `"cost"`,
		`$.custom[?@.value==$.custom[1].value].key`: `"cost"`,
		`$.custom[?!@.value].key`:                   `"gone"`,
		`$.custom[?@.key=='x' || (@.key=='cost' && @.value)].value`: `100`,
		`$.custom[?match(@.key,'c.*|hr')].value`:                    `"HR-4829"`,
		`$.custom[?match(@.key,'o')].value`:                         `absent`,
		`$.custom[?search(@.key,'os')].value`:                       `100`,
		`$.custom[?search(@.value,'4829')].key`:                     `"hr"`, // a number and a missing one are no match
		`$.custom[?!match(@.missing,'x')].key`:                      `"hr"`,
		`$.custom[?match(@.key,'a|cost')].value`:                    `100`,
		`$.custom[?length(@.key)==4].value`:                         `100`,
		`$.custom[?count(@.*)==1].key`:                              `"gone"`,
		`$.custom[?value(@.key)=='cost'].value`:                     `100`,
		`$[?@.name].mail`:                                           `"jd@example.com"`,
		`$[?@[?@.key=='cost']][0].value`:                            `"HR-4829"`,
		`$..code`:                                                   `"first"`,
		`$.deep..code`:                                              `"first"`,
		`$.deep.m..code`:                                            `"middle"`,
		`$..[?@.key=='cost'].value`:                                 `100`,
		`$..nothing`:                                                `absent`,
		`$.deep.*.code`:                                             `"last"`,
	} {
		require.Equal(t, want, pick(t, path, event), path)
	}
	require.Equal(t, `[1]`, pick(t, `$`, `[1]`))
	require.Equal(t, `2`, pick(t, `$[1]`, `[1,2]`))
}

// The order of an object's members is nobody's promise; what is read must not hang on chance.
func TestPathsReadTheSameEveryTime(t *testing.T) {
	body := `{"m":{"q":{"id":1},"b":{"id":2},"x":{"id":3},"a":{"id":4},"z":{"id":5}}}`
	for range 50 {
		require.Equal(t, `4`, pick(t, `$.m.*.id`, body))
		require.Equal(t, `4`, pick(t, `$..id`, body))
		require.Equal(t, `2`, pick(t, `$.m[?@.id<4].id`, body))
	}
}

// Another payload than the mapping was made for is a problem, not a missing value.
func TestChainsSayWhatStandsInTheirWay(t *testing.T) {
	for path, want := range map[string]string{
		`$.user.id`:         "user: want an object, is an array",
		`$.user['id','no']`: "user: want an object, is an array",
		`$.user[0].id`:      "user[0]: want an object, is a string",
		`$.name.first`:      "name: want an object, is a string",
		`$.name[0]`:         "name: want an array, is a string",
		`$['a.b'].c`:        `["a.b"]: want an object, is a number`,
		`$[0]`:              "want an array, is an object",
	} {
		r := oneField(t, mapping.LearnerID, mapping.Field{Path: path}).Read(value(t, `{"user":["jordan"],"name":"jordan","a.b":1}`))
		require.Empty(t, r.Text(mapping.LearnerID))
		require.EqualError(t, r.Err(), want, path)
	}
}

func TestPathMistakes(t *testing.T) {
	for path, want := range map[string]struct {
		offset int
		code   string
	}{
		`id`:                            {0, "invalid_path"},
		`user.id`:                       {0, "invalid_path"},
		`$.`:                            {2, "invalid_path"},
		`$.a[`:                          {4, "invalid_path"},
		`$.a[x]`:                        {4, "invalid_path"},
		`$.a b`:                         {3, "invalid_path"},
		`$['a'`:                         {5, "invalid_path"},
		`$[?@.a=1]`:                     {6, "invalid_path"},
		`$[01]`:                         {2, "invalid_path"},
		`$[?foo(@.a)]`:                  {3, "invalid_path"},
		`$[?length(@.a)]`:               {14, "invalid_path"},
		`$[?match(@.a)]`:                {8, "invalid_path"},
		`$[?match(@.a,'[')]`:            {8, "invalid_path"},
		`$[?match(@.a,7)]`:              {8, "invalid_path"},
		`$[?match(@.a,@.b)]`:            {8, "invalid_path"},
		`$[?match(@.*,'x')]`:            {8, "invalid_path"},
		`$[?match($.a,'x')]`:            {8, "invalid_path"},
		`$[?length($.a)>1]`:             {9, "invalid_path"},
		`$[?count($..*)>1]`:             {8, "invalid_path"},
		`$[?count(@..*)>1]`:             {8, "invalid_path"},
		`$..a..b`:                       {-1, "path_too_costly"},
		`$[?$..a]`:                      {-1, "path_too_costly"},
		`$[?$.a[*]]`:                    {-1, "path_too_costly"},
		`$[?@..a]`:                      {-1, "path_too_costly"},
		`$[?!@..a]`:                     {-1, "path_too_costly"},
		`$[?(@.b && !(@..a))]`:          {-1, "path_too_costly"},
		`$[?@['a','b']]`:                {-1, "path_too_costly"},
		`$[?$.a==$.b]`:                  {-1, "path_too_costly"},
		`$[?@[?@[?@[?@.a]]]]`:           {-1, "path_too_costly"},
		`$.` + strings.Repeat("a", 499): {500, "path_too_long"},
	} {
		_, err := mapping.Compile("generic", mapping.Definition{Version: "1", Fields: map[mapping.Target]mapping.Field{
			mapping.Event: {Path: path},
		}})
		require.Error(t, err, path)
		found := mistakesOf(t, err)
		require.Len(t, found, 1, path)
		require.Equal(t, mapping.Event, found[0].Target)
		require.Equal(t, "path", found[0].Part)
		require.Equal(t, want.code, found[0].Code, path)
		require.Equal(t, want.offset, found[0].Offset, "%s: %s", path, found[0].Text)
	}
}

// A "$" in a text is no "$" of a query.
func TestPathsMayHoldDollarsInTexts(t *testing.T) {
	require.Equal(t, `1`, pick(t, `$[?@.k=='$'].v`, `[{"k":"$","v":1}]`))
	require.Equal(t, `1`, pick(t, `$.l[?@.k==$['"$"']].v`, `{"l":[{"k":7,"v":1}],"\"$\"":7}`))
}

// wide is an array of n objects that every path has to look at, and nothing that any of them finds.
func wide(n int) strictjson.Value {
	items := make([]strictjson.Value, n)
	for i := range items {
		items[i] = strictjson.ObjectOf(map[string]strictjson.Value{"a": strictjson.NullOf()})
	}
	return strictjson.ArrayOf(items...)
}

// Selectors in one bracket multiply; the bound is on what a read visits, whatever the path.
func TestTheWorkOfAPathIsBounded(t *testing.T) {
	r := oneField(t, mapping.Event, mapping.Field{Path: `$` + strings.Repeat(`[*,*]`, 30)}).Read(
		value(t, strings.Repeat("[", 30)+"null"+strings.Repeat("]", 30)))
	require.Empty(t, r.Text(mapping.Event))
	require.ErrorContains(t, r.Err(), "the path visits more than 1000000 nodes of this event")

	for _, path := range []string{`$..a`, `$..[?@.a == 1]`, `$[*].a`, `$..[?search(@.a,'(x+x+)+y')]`} {
		r := oneField(t, mapping.Event, mapping.Field{Path: path}).Read(wide(50_000))
		require.Empty(t, r.Text(mapping.Event))
		require.NoError(t, r.Err(), path)
	}
}
