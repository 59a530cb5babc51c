"""The MiniStack half of the embedded cloud: CloudFormation, Lambda, Step Functions and more."""
