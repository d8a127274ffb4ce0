package settings_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"countersign/internal/settings"
)

const root = "../../"

// The file that docker-compose.yml mounts is read with the secrets where compose puts them.
func TestDeployedTenantsAreAccepted_R32(t *testing.T) {
	content, err := os.ReadFile(root + "deploy/countersign.yml")
	require.NoError(t, err)
	dir := t.TempDir()
	text := strings.ReplaceAll(string(content), "file:/run/secrets/", "file:"+dir+"/")
	for _, reference := range regexp.MustCompile(`file:(\S+)`).FindAllStringSubmatch(text, -1) {
		require.NoError(t, os.WriteFile(reference[1], []byte("secret-of-"+filepath.Base(reference[1])), 0o400))
	}
	path := filepath.Join(dir, "countersign.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	s, err := settings.Load(path, known())
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	require.Equal(t, "acme", s.Tenants[0].ID)
}

// compose is the part of docker-compose.yml that the rules below are about.
type compose struct {
	Services map[string]service
	Secrets  map[string]struct{ Environment, File string }
	Volumes  map[string]any
	Networks map[string]any
}

type service struct {
	Image       string
	Restart     string
	Build       struct{ Target string }
	Environment map[string]string
	Healthcheck struct{ Test []string }
	Ports       []string
	Volumes     []string
	Networks    []string
	Logging     struct{ Options map[string]string }
	Secrets     []struct {
		Source, UID string
		Mode        int
	}
	DependsOn map[string]struct{ Condition string } `yaml:"depends_on"`
}

func (s service) oneShot() bool { return strings.HasPrefix(s.Restart, "on-failure") }

func readCompose(t *testing.T) (compose, string) {
	t.Helper()
	content, err := os.ReadFile(root + "docker-compose.yml")
	require.NoError(t, err)
	var c compose
	require.NoError(t, yaml.Unmarshal(content, &c))
	require.NotEmpty(t, c.Services)
	return c, string(content)
}

func TestComposeServices(t *testing.T) {
	c, _ := readCompose(t)
	pinned := regexp.MustCompile(`^[a-z0-9./-]+:(v?\d+\.\d+[\w.-]*|\$\{COUNTERSIGN_VERSION:-\d+\.\d+\.\d+\})$`)
	for name, s := range c.Services {
		t.Run(name, func(t *testing.T) {
			require.Regexp(t, pinned, s.Image, "an image is pinned to a version")
			require.NotEmpty(t, s.Logging.Options["max-size"], "logs must not fill the disk")
			if !s.oneShot() {
				require.NotEmpty(t, s.Healthcheck.Test, "a service says whether it is healthy")
				require.Equal(t, "unless-stopped", s.Restart)
			}
			for other, condition := range s.DependsOn {
				require.Contains(t, c.Services, other)
				want := "service_healthy"
				if c.Services[other].oneShot() {
					want = "service_completed_successfully"
				}
				require.Equal(t, want, condition.Condition, "waits for %s", other)
			}
			for _, port := range s.Ports {
				require.True(t, strings.HasPrefix(port, "${BIND:-127.0.0.1}:"), "%s is published to the world", port)
			}
			for _, network := range s.Networks {
				require.Contains(t, c.Networks, network)
			}
			for _, volume := range s.Volumes {
				source, _, _ := strings.Cut(volume, ":")
				if strings.HasPrefix(source, "./") {
					require.FileExists(t, filepath.Join(root, source, anyFileIn(t, root+source)))
				} else {
					require.Contains(t, c.Volumes, source)
				}
			}
		})
	}
}

// anyFileIn is "" for a file and the name of one file for a folder.
func anyFileIn(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	if !info.IsDir() {
		return ""
	}
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	require.NotEmpty(t, entries, "%s is empty", path)
	return entries[0].Name()
}

func TestComposeHoldsNoSecret_R32_R207(t *testing.T) {
	c, text := readCompose(t)
	require.NotRegexp(t, `://[^/\s:@]+:[^/\s@]+@`, text, "a password in an address")
	names := regexp.MustCompile(`(?i)password|passwd|pwd|secret|token|api_?key`)
	for name, s := range c.Services {
		for key, value := range s.Environment {
			if names.MatchString(key) {
				require.Regexp(t, `^(file:)?/run/secrets/`, value, "%s: %s", name, key)
			}
		}
		for _, secret := range s.Secrets {
			require.Contains(t, c.Secrets, secret.Source, name)
			require.Equal(t, 0o400, secret.Mode, "%s: %s is for its user only", name, secret.Source)
			require.NotEmpty(t, secret.UID)
		}
	}

	example := map[string]string{}
	file, err := os.Open(root + "deploy/.env.example")
	require.NoError(t, err)
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if key, value, ok := strings.Cut(strings.TrimPrefix(scanner.Text(), "#"), "="); ok {
			example[key] = value
		}
	}
	for name, secret := range c.Secrets {
		require.NotEmpty(t, secret.Environment, name)
		require.Contains(t, example, secret.Environment, "deploy/.env.example must name it")
		require.Empty(t, example[secret.Environment], "an example must not be used as it stands")
	}
}

// Every secret that the tenants' file names is given to both processes.
func TestComposeProvidesTheTenantsSecrets(t *testing.T) {
	c, _ := readCompose(t)
	content, err := os.ReadFile(root + "deploy/countersign.yml")
	require.NoError(t, err)
	references := regexp.MustCompile(`file:/run/secrets/(\S+)`).FindAllStringSubmatch(string(content), -1)
	require.NotEmpty(t, references)
	for _, name := range []string{"starter", "worker"} {
		given := map[string]bool{}
		for _, secret := range c.Services[name].Secrets {
			given[secret.Source] = true
		}
		for _, reference := range references {
			require.True(t, given[reference[1]], "%s lacks %s", name, reference[1])
		}
	}
}

// The environment that compose gives to starter and worker is one that they accept.
func TestComposeEnvironmentIsAccepted(t *testing.T) {
	c, _ := readCompose(t)
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte("journal-password"), 0o400))
	substitution := regexp.MustCompile(`\$\{\w+:-([^}]*)\}`)
	for _, name := range []string{"starter", "worker"} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for key, value := range c.Services[name].Environment {
				if strings.HasPrefix(value, "file:/run/secrets/") {
					value = "file:" + secret
				}
				t.Setenv(key, substitution.ReplaceAllString(value, "$1"))
			}
			p, err := settings.ProcessFromEnv()
			require.NoError(t, err)
			require.Empty(t, p.Warnings, "a misspelt variable")
			require.True(t, p.SMTP.MailEnabled())
			require.Contains(t, p.Journal.Reveal(), "postgres://countersign:journal-password@postgres:5432/countersign")
		})
	}
}

// A delivery is acknowledged while Temporal is down (law 1), from the first start on.
func TestComposeStartsTheStarterWithoutTemporal(t *testing.T) {
	c, _ := readCompose(t)
	require.Len(t, c.Services["starter"].DependsOn, 1)
	require.Contains(t, c.Services["starter"].DependsOn, "postgres")
}

func TestComposeKeepsPostgresDurable(t *testing.T) {
	_, text := readCompose(t)
	for _, option := range []string{"-cfsync=on", "-csynchronous_commit=on", "-cfull_page_writes=on"} {
		require.Contains(t, text, "- "+option+"\n")
	}
	script, err := os.ReadFile(root + "deploy/temporal/namespace.sh")
	require.NoError(t, err)
	for _, attribute := range []string{"Tenant", "State", "Platform", "Course", "Record", "Failure"} {
		require.Contains(t, string(script), fmt.Sprintf("--name Countersign%s --type Keyword", attribute))
	}
}

func TestDockerfile(t *testing.T) {
	content, err := os.ReadFile(root + "Dockerfile")
	require.NoError(t, err)
	text := string(content)
	module, err := os.ReadFile(root + "go.mod")
	require.NoError(t, err)
	language := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))
	require.NotNil(t, language)
	require.Regexp(t, `golang:`+regexp.QuoteMeta(language[1])+`\.\d+-alpine AS build`, text, "the Go of go.mod, pinned")
	require.Contains(t, text, "CGO_ENABLED=0")
	require.Contains(t, text, "USER nonroot:nonroot")

	c, _ := readCompose(t)
	for _, name := range []string{"starter", "worker"} {
		require.Equal(t, name, c.Services[name].Build.Target)
		require.Contains(t, text, "FROM base AS "+name+"\n")
		require.Contains(t, text, fmt.Sprintf(`CMD ["/%s", "healthcheck"]`, name))
		require.Equal(t, []string{"CMD", "/" + name, "healthcheck"}, c.Services[name].Healthcheck.Test)
	}
	ignored, err := os.ReadFile(root + ".dockerignore")
	require.NoError(t, err)
	for _, folder := range []string{"starter", "worker", "workflows", "activities", "internal", "go.mod", "go.sum"} {
		require.Contains(t, string(ignored), "\n!"+folder+"\n", "the build would not see it")
	}
}
