#!/bin/sh
# A step of a CI job, the way of GitHub Actions (Gitea's and Forgejo's, too) and of GitLab: deploys, and
# tells the hooks how it went.
#
#   - name: Deploy                                      deploy:
#     run: sh ci-step.sh ./deploy.sh production           script:
#     env:                                                  - sh ci-step.sh ./deploy.sh production
#       HOOKS_REGISTRY: ${{ secrets.HOOKS_REGISTRY }}
#
# HOOKS_REGISTRY is the text of a hooks.json: a secret of the project, on GitLab a masked variable (not of
# the type "file").
#
# The step ends as the deploy command did, whatever happens to the hooks. A checkout of depth 1 is
# enough. The registry is a secret for the URLs in it: no command line ever shows it, and the runner
# empties RUNNER_TEMP after the job (elsewhere, let TMPDIR be a folder that is emptied, too).
set -u

registry=${HOOKS_REGISTRY:-[]}
unset HOOKS_REGISTRY # the deploy command has no need of it

only_deploy() {
    echo "warning: $1: deploying without telling anybody" >&2
    shift
    exec "$@"
}

command -v hooks >/dev/null || only_deploy 'there is no hooks in PATH' "$@"
folder=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/hooks.XXXXXX") ||
    only_deploy 'there is no place for the registry' "$@"
export HOOKS_FILE="$folder/hooks.json"
(umask 077 && printf '%s\n' "$registry" >"$HOOKS_FILE")

# GitHub's names, else GitLab's. Who deploys is found by `hooks`.
commit=${GITHUB_SHA:-${CI_COMMIT_SHA:-HEAD}}
repository=${GITHUB_REPOSITORY:-${CI_PROJECT_PATH:-}}
ref=${GITHUB_REF:-${CI_MERGE_REQUEST_REF_PATH:-}}
ref=${ref:-${CI_COMMIT_TAG:+refs/tags/$CI_COMMIT_TAG}}
ref=${ref:-${CI_COMMIT_BRANCH:+refs/heads/$CI_COMMIT_BRANCH}}
url=${GITHUB_RUN_ID:+${GITHUB_REPOSITORY:+${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID}}
url=${url:-${CI_JOB_URL:-}}

# In the shell's place, so that a job that is cancelled ends the deployment, and says so. What is not known
# is left out.
exec hooks run PostDeployment --git "$commit" ${repository:+--set "repository=$repository"} \
    ${ref:+--set "ref=$ref"} ${url:+--set "url=$url"} -- "$@"
