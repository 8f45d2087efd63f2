# A store for ccdestroy on AWS: the bucket, who may do what in it, and the role that
# the runners of a GitHub organisation take on without a stored secret. See store.md.
#
#   terraform init && terraform apply -var bucket=acme-audit -var github=acme

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

variable "bucket" {
  description = "Name of the bucket."
  type        = string
}

variable "prefix" {
  description = "Where the store begins in it."
  type        = string
  default     = "teardowns"
}

variable "github" {
  description = "GitHub organisation whose workflows may create events."
  type        = string
}

variable "days" {
  description = "How long records are kept, and cannot be removed by anybody."
  type        = number
  default     = 400
}

data "aws_caller_identity" "this" {}

locals {
  bucket  = "arn:aws:s3:::${var.bucket}"
  account = "arn:aws:iam::${data.aws_caller_identity.this.account_id}:root"
}

resource "aws_s3_bucket" "audit" {
  bucket              = var.bucket
  object_lock_enabled = true
}

resource "aws_s3_bucket_versioning" "audit" {
  bucket = aws_s3_bucket.audit.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "audit" {
  bucket = aws_s3_bucket.audit.id
  rule {
    default_retention {
      mode = "COMPLIANCE"
      days = var.days
    }
  }
  depends_on = [aws_s3_bucket_versioning.audit]
}

resource "aws_s3_bucket_public_access_block" "audit" {
  bucket                  = aws_s3_bucket.audit.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "audit" {
  bucket = aws_s3_bucket.audit.id
  rule {
    id     = "expire-events"
    status = "Enabled"
    filter {
      prefix = "${var.prefix}/v1/events/"
    }
    expiration {
      days = var.days
    }
    noncurrent_version_expiration {
      noncurrent_days = var.days
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
  depends_on = [aws_s3_bucket_versioning.audit]
}

# GitHub's tokens instead of stored secrets.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "runner_trust" {
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.github}/*"]
    }
  }
}

# Readers and the sealer: whoever in this account is allowed to take the role on.
data "aws_iam_policy_document" "account_trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [local.account]
    }
  }
}

resource "aws_iam_role" "runner" {
  name               = "ccdestroy-runner"
  assume_role_policy = data.aws_iam_policy_document.runner_trust.json
}

resource "aws_iam_role" "reader" {
  name               = "ccdestroy-reader"
  assume_role_policy = data.aws_iam_policy_document.account_trust.json
}

resource "aws_iam_role" "sealer" {
  name               = "ccdestroy-sealer"
  assume_role_policy = data.aws_iam_policy_document.account_trust.json
}

data "aws_iam_policy_document" "audit" {
  statement {
    sid       = "CreateEvents"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket}/${var.prefix}/v1/events/*"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.runner.arn]
    }
    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["false"]
    }
  }

  statement {
    sid       = "CreatePacks"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket}/${var.prefix}/v1/packs/*", "${local.bucket}/${var.prefix}/v1/seals/*"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.sealer.arn]
    }
    condition {
      test     = "Null"
      variable = "s3:if-none-match"
      values   = ["false"]
    }
  }

  statement {
    sid       = "ReadObjects"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket}/${var.prefix}/v1/*"]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.reader.arn, aws_iam_role.sealer.arn]
    }
  }

  statement {
    sid       = "ListObjects"
    actions   = ["s3:ListBucket"]
    resources = [local.bucket]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.reader.arn, aws_iam_role.sealer.arn]
    }
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${var.prefix}/v1/*"]
    }
  }

  # Whoever else has rights in this account cannot write here either.
  statement {
    sid       = "NobodyElseWrites"
    effect    = "Deny"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket}/${var.prefix}/*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "ArnNotEquals"
      variable = "aws:PrincipalArn"
      values   = [aws_iam_role.runner.arn, aws_iam_role.sealer.arn]
    }
  }
}

resource "aws_s3_bucket_policy" "audit" {
  bucket     = aws_s3_bucket.audit.id
  policy     = data.aws_iam_policy_document.audit.json
  depends_on = [aws_s3_bucket_public_access_block.audit]
}

output "store" {
  description = "For CCDESTROY_STORE."
  value       = "s3://${var.bucket}/${var.prefix}?region=${aws_s3_bucket.audit.region}"
}

output "runner" {
  description = "For role-to-assume of aws-actions/configure-aws-credentials, or AWS_ROLE_ARN."
  value       = aws_iam_role.runner.arn
}
