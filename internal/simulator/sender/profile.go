package sender

import (
	"cmp"
	"slices"
	"time"
)

// Profile is how the LMS of a platform behaves.
type Profile struct {
	// Platform is its name in settings, API and docs.
	Platform string
	// Variant names another way of sending of the same platform, "" for the one to begin with.
	Variant string
	// SaysScore and SaysFailed tell whether a delivery can hold a score, and that somebody failed.
	SaysScore, SaysFailed bool
	// Batch is how many finished courses one delivery may hold, 1 for a platform that does not batch.
	Batch int
	// Patience is how long it waits for an answer, 0 for as long as it takes.
	Patience time.Duration
	Retry    Retry
	Disable  Disable
	// InOrder says that a delivery waits until the one before it is taken or given up.
	InOrder bool
	// Credential is how it proves where a delivery comes from, of the ways that it has the one to begin with.
	Credential func(Account) Credential

	write   func(Site, []Finish) Post
	noise   func(Site, Finish) []Post
	prepare func(*Attempt) // what an attempt renews in the body, and compression
}

// Account is what an administrator has typed into the LMS beside the URL.
type Account struct {
	// User goes with Secret where the platform asks for both; "" for the profile's own.
	User   string
	Secret string
	// TokenURL is where the platform gets its tokens, if it gets any.
	TokenURL string
	// Keys sign for Canvas.
	Keys *Keys
}

// user is the account's name, or what this platform's examples call it.
func (a Account) user(fallback string) string { return cmp.Or(a.User, fallback) }

// Name is the platform, and behind a slash its variant.
func (p Profile) Name() string {
	if p.Variant == "" {
		return p.Platform
	}
	return p.Platform + "/" + p.Variant
}

// Posts are the deliveries that report these finished courses, in as few as the platform makes of them.
func (p Profile) Posts(site Site, finishes ...Finish) []Post {
	var posts []Post
	for chunk := range slices.Chunk(finishes, max(1, p.Batch)) {
		post := p.write(site, chunk)
		post.Finishes = slices.Clone(chunk)
		posts = append(posts, post)
	}
	return posts
}

// Noise are deliveries about the same learner and course that report no completion: starts, enrollments, users,
// signs of life.
func (p Profile) Noise(site Site, f Finish) []Post {
	if p.noise == nil {
		return nil
	}
	return p.noise(site, f)
}

// Profiles are the fifteen platforms, by name.
func Profiles() []Profile {
	return []Profile{
		Absorb(), Activate(), Adobe(), Axis(), Brightspace(), Canonical(), Canvas(), Cornerstone(), Docebo(), Generic(),
		LearnUpon(), Lessonly(), Moodle(), SuccessFactors(), TalentLMS(),
	}
}

// Variants are the other ways in which some of them send.
func Variants() []Profile {
	return []Profile{AxisForm(), CanvasUnsigned(), LearnUponV1(), MoodleEvents(), MoodleTrigger(), MoodleStatements()}
}

// Find returns a profile, also a variant, by its name.
func Find(name string) (Profile, bool) {
	for _, p := range append(Profiles(), Variants()...) {
		if p.Name() == name {
			return p, true
		}
	}
	return Profile{}, false
}
