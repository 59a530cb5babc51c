"""What a Lambda function starts from: settings, wiring, logging, and how it answers."""
