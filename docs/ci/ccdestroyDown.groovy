// Jenkins shared-library step: tears a Compose project down, audited, and keeps the
// log. Put it into a shared library as vars/ccdestroyDown.groovy, and use it with
//
//   @Library('ccdestroy') _
//   pipeline {
//       agent any
//       stages { stage('Integration') { steps { sh 'docker compose up --detach --wait' } } }
//       post { always { ccdestroyDown projectArgs: '-f ci.yaml', store: 's3://audit/jenkins' } }
//   }
//
// A partial teardown (exit 3) makes the build unstable, anything else that is not 0
// fails it. The log and its head are kept in either case.
def call(Map config = [:]) {
    def variables = ["CCDESTROY_REASON=build ${env.BUILD_TAG}"]
    if (config.store) {
        variables << "CCDESTROY_STORE=${config.store}"
    }
    withEnv(variables) {
        int code = sh(returnStatus: true, label: 'Tear down',
            script: "ccdestroy ${config.projectArgs ?: ''} down ${config.downArgs ?: ''}")
        sh(returnStatus: true, label: 'Head of the audit log', script: 'ccdestroy audit head')
        archiveArtifacts artifacts: '.contextcore/audit*.jsonl', allowEmptyArchive: true
        if (code == 3) {
            unstable('Partly destroyed: the log of this step says what is still there')
        } else if (code != 0) {
            error("ccdestroy ended with exit code ${code}")
        }
    }
}
