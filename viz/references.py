"""The sources that the Methods paragraph cites, as a reference list prints them."""

from __future__ import annotations

__all__ = ["REFERENCES"]

REFERENCES: dict[str, str] = {
    "delong": (
        "DeLong ER, DeLong DM, Clarke-Pearson DL (1988) Comparing the areas under two or more correlated "
        "receiver operating characteristic curves: a nonparametric approach. Biometrics 44:837–845"
    ),
    "sun-xu": (
        "Sun X, Xu W (2014) Fast implementation of DeLong’s algorithm for comparing the areas under correlated "
        "receiver operating characteristic curves. IEEE Signal Process Lett 21:1389–1393"
    ),
    "qin-hotilovac": (
        "Qin G, Hotilovac L (2008) Comparison of non-parametric confidence intervals for the area under the "
        "ROC curve of a continuous-scale diagnostic test. Stat Methods Med Res 17:207–221"
    ),
    "obuchowski-clustered": (
        "Obuchowski NA (1997) Nonparametric analysis of clustered ROC curve data. Biometrics 53:567–578"
    ),
    "youden": "Youden WJ (1950) Index for rating diagnostic tests. Cancer 3:32–35",
    "wilson": (
        "Wilson EB (1927) Probable inference, the law of succession, and statistical inference. "
        "J Am Stat Assoc 22:209–212"
    ),
    "harrell": (
        "Harrell FE, Lee KL, Mark DB (1996) Multivariable prognostic models: issues in developing models, "
        "evaluating assumptions and adequacy, and measuring and reducing errors. Stat Med 15:361–387"
    ),
    "holm": "Holm S (1979) A simple sequentially rejective multiple test procedure. Scand J Stat 6:65–70",
    "zhang-zhou": (
        "Zhang ML, Zhou ZH (2014) A review on multi-label learning algorithms. "
        "IEEE Trans Knowl Data Eng 26:1819–1837"
    ),
    "efron-tibshirani": (
        "Efron B, Tibshirani RJ (1993) An introduction to the bootstrap. Chapman & Hall, New York"
    ),
    "proc": (
        "Robin X, Turck N, Hainard A et al (2011) pROC: an open-source package for R and S+ to analyze and "
        "compare ROC curves. BMC Bioinformatics 12:77"
    ),
    "obuchowski-size": (
        "Obuchowski NA, Lieber ML, Wians FH (2004) ROC curves in clinical chemistry: uses, misuses, and "
        "possible solutions. Clin Chem 50:1118–1125"
    ),
    "hanley-mcneil": (
        "Hanley JA, McNeil BJ (1982) The meaning and use of the area under a receiver operating "
        "characteristic (ROC) curve. Radiology 143:29–36"
    ),
    "mcnemar": (
        "McNemar Q (1947) Note on the sampling error of the difference between correlated proportions or "
        "percentages. Psychometrika 12:153–157"
    ),
    "cox": "Cox DR (1958) Two further applications of a model for binary regression. Biometrika 45:562–565",
    "brier": "Brier GW (1950) Verification of forecasts expressed in terms of probability. Mon Weather Rev 78:1–3",
    "austin-steyerberg": (
        "Austin PC, Steyerberg EW (2019) The Integrated Calibration Index (ICI) and related metrics for "
        "quantifying the calibration of logistic regression models. Stat Med 38:4051–4065"
    ),
    "vickers-elkin": (
        "Vickers AJ, Elkin EB (2006) Decision curve analysis: a novel method for evaluating prediction models. "
        "Med Decis Making 26:565–574"
    ),
    "grad-cam-plus-plus": (
        "Chattopadhay A, Sarkar A, Howlader P, Balasubramanian VN (2018) Grad-CAM++: generalized gradient-based visual "
        "explanations for deep convolutional networks. IEEE Winter Conference on Applications of Computer Vision: "
        "839–847"
    ),
    "energy-game": (
        "Wang H, Wang Z, Du M et al (2020) Score-CAM: score-weighted visual explanations for convolutional neural "
        "networks. IEEE/CVF Conference on Computer Vision and Pattern Recognition Workshops: 111–119"
    ),
    "pointing-game": (
        "Zhang J, Bargal SA, Lin Z, Brandt J, Shen X, Sclaroff S (2018) Top-down neural attention by excitation "
        "backprop. Int J Comput Vis 126:1084–1102"
    ),
    "t-sne": "van der Maaten L, Hinton G (2008) Visualizing data using t-SNE. J Mach Learn Res 9:2579–2605",
    "silhouette": (
        "Rousseeuw PJ (1987) Silhouettes: a graphical aid to the interpretation and validation of cluster analysis. "
        "J Comput Appl Math 20:53–65"
    ),
}
