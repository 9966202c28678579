"""Is a situation like anything known? Scores of logits, thresholds with a guarantee, and how well they tell apart.

One sign everywhere: larger means more out-of-distribution.
"""

from choicekit.detection.bootstrap import DetectionBootstrap, bootstrap_detection
from choicekit.detection.conformal import benjamini_hochberg, conformal_p_values, p_values_by_group
from choicekit.detection.curves import DetectionCurves, detection_curves
from choicekit.detection.delong import AurocDifference, compare_auroc
from choicekit.detection.detector import EnergyDetector
from choicekit.detection.distance import AttributeReference
from choicekit.detection.groups import evaluate_by_group
from choicekit.detection.head import LogitHead, train_head
from choicekit.detection.margins import EnergyMargins, MarginLoss, margin_loss
from choicekit.detection.matching import KLReference
from choicekit.detection.metrics import METRICS, DetectionMetrics, evaluate_detection
from choicekit.detection.running import run_detection
from choicekit.detection.scores import SCORES, energy, ood_score, score_table
from choicekit.detection.streaming import score_parquet
from choicekit.detection.study import DetectionOutcome, DetectionStudy, TrainingSettings
from choicekit.detection.tables import LogitTable, read_logits
from choicekit.detection.temperature import TemperatureFit, fit_temperature
from choicekit.detection.thresholds import RetentionThreshold, retention_threshold, rows_needed

__all__ = [
    "METRICS",
    "SCORES",
    "AttributeReference",
    "AurocDifference",
    "DetectionBootstrap",
    "DetectionCurves",
    "DetectionMetrics",
    "DetectionOutcome",
    "DetectionStudy",
    "EnergyDetector",
    "EnergyMargins",
    "KLReference",
    "LogitHead",
    "LogitTable",
    "MarginLoss",
    "RetentionThreshold",
    "TemperatureFit",
    "TrainingSettings",
    "benjamini_hochberg",
    "bootstrap_detection",
    "compare_auroc",
    "conformal_p_values",
    "detection_curves",
    "energy",
    "evaluate_by_group",
    "evaluate_detection",
    "fit_temperature",
    "margin_loss",
    "ood_score",
    "p_values_by_group",
    "read_logits",
    "retention_threshold",
    "rows_needed",
    "run_detection",
    "score_parquet",
    "score_table",
    "train_head",
]
