#!/bin/sh
# A step of a CI job, the way of GitHub Actions: deploys, and tells the hooks how it went.
#
#   - name: Deploy
#     run: sh ci-step.sh ./deploy.sh production
#     env:
#       HOOKS_REGISTRY: ${{ secrets.HOOKS_REGISTRY }}   # the text of a hooks.json
#
# The step ends as the deploy command did, whatever happens to the hooks. A checkout of depth 1 is
# enough. The registry is a secret for the URLs in it: no command line ever shows it, and the runner
# empties RUNNER_TEMP after the job (elsewhere, let it be a folder that is emptied, too).
set -u

HOOKS_FILE=$(mktemp -d "${RUNNER_TEMP:-/tmp}/hooks.XXXXXX")/hooks.json
export HOOKS_FILE
(umask 077 && printf '%s\n' "${HOOKS_REGISTRY:-[]}" >"$HOOKS_FILE")
unset HOOKS_REGISTRY # the deploy command has no need of it

# In the shell's place, so that a job that is cancelled ends the deployment, and says so.
exec hooks run PostDeployment --git "${GITHUB_SHA:-HEAD}" \
    --deployer "${GITHUB_ACTOR:-CI}" \
    --set ref="${GITHUB_REF:-}" \
    --set url="${GITHUB_SERVER_URL:-}/${GITHUB_REPOSITORY:-}/actions/runs/${GITHUB_RUN_ID:-}" \
    -- "$@"
