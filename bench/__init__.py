"""Measured ratios: what this project costs against the raw primitive, in one run each."""
