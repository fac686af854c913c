"""Containers of pods, Compose services, ECS tasks and Docker engines in one Kubernetes-shaped form.

One control then serves all four.
"""
