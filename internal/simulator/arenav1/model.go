package arenav1

import "time"

// User is a user of the workspace.
type User struct {
	GUID     string `json:"guid"`
	Email    string `json:"email"`
	FullName string `json:"fullName"`
}

// Item is a controlled item that a plan trains on, in the revision that is in force.
type Item struct {
	GUID           string `json:"guid"`
	Number         string `json:"number"`
	Name           string `json:"name"`
	RevisionNumber string `json:"revisionNumber"`
	RevisionStatus string `json:"revisionStatus"`
}

// Plan is a training plan.
type Plan struct {
	GUID    string `json:"guid"`
	Number  string `json:"number"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Manager User   `json:"manager"`
}

// The states of a plan.
const (
	Open   = "OPEN"
	Closed = "CLOSED"
)

// Trainee is one entry of a plan's roster. GUID is the association's, not the user's.
type Trainee struct {
	GUID    string     `json:"guid"`
	User    User       `json:"user"`
	DueDate *time.Time `json:"dueDate"`
}

// Record is one training record: one user and one revision of one item.
type Record struct {
	GUID           string     `json:"guid"`
	User           User       `json:"user"`
	Item           Item       `json:"item"`
	DueDate        *time.Time `json:"dueDate"`
	SignedDateTime *time.Time `json:"signedDateTime"`
}

// File is a file that is kept with a plan. GUID is the association's.
type File struct {
	GUID     string
	Name     string
	Title    string
	Format   string
	Category string
	Private  string
	Bytes    []byte
}

// Account is whoever may use the API: a user with a password, or an OAuth application bound to a user.
type Account struct {
	// User is the user that acts; enrolling wants it to be the plan's manager.
	User User
	// Password is for a session; ClientID and ClientSecret are for a token.
	Password               string
	ClientID, ClientSecret string
	WorkspaceID            string
}

// Switches choose between readings of what the vendor's help leaves open.
type Switches struct {
	// UnsignedHidden lists a record only once it is signed; else with "signedDateTime": null.
	UnsignedHidden bool `json:"unsignedHidden"`
	// DuplicateTrainees takes the same user twice into a roster; else it is refused with 400.
	DuplicateTrainees bool `json:"duplicateTrainees"`
	// CamelSession answers a login with arenaSessionId, as several clients expect; else arena_session_id.
	CamelSession bool `json:"camelSession"`
	// PageCounts lets "count" be that of the page; else it is that of the whole list.
	PageCounts bool `json:"pageCounts"`
	// EmptyDates shows what is not signed as "signedDateTime": ""; else null.
	EmptyDates bool `json:"emptyDates"`
	// ItemsWithoutRevision leaves the revision out of a plan's items.
	ItemsWithoutRevision bool `json:"itemsWithoutRevision"`
}
