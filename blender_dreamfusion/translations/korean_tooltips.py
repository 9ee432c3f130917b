"""Korean: what is shown when the pointer rests on a button, a field or a choice."""

from __future__ import annotations

TEXTS = {
    # what is asked for
    "Make the prompt into a textured object, in the background; after the jobs that wait already": (
        "프롬프트로 텍스처를 입힌 오브젝트를 백그라운드에서 만듭니다. 이미 대기 중인 작업이 있으면 그 뒤에 시작합니다"
    ),
    "Show flat pictures of the prompt in seconds: what the model thinks of it, before a long job": (
        "프롬프트의 평면 그림을 몇 초 안에 표시합니다. 긴 작업을 시작하기 전에 모델이 어떻게 이해하는지 볼 수 있습니다"
    ),
    "Stop drawing, and put the pictures away": "그리기를 멈추고 그림을 치웁니다",
    "Prompts of earlier jobs, the newest first, and examples": "이전 작업의 프롬프트(최신순)와 예시",
    "Take this prompt over": "이 프롬프트를 사용합니다",
    "The text to take over": "사용할 텍스트",
    "What to make, in a few words": "만들 것을 몇 단어로 적습니다",
    "What to keep away from": "피해야 할 것",
    "Detail against time": "세부 묘사와 시간 사이의 선택",
    "A first impression, in the shortest time": "가장 짧은 시간에 얻는 첫인상",
    "Good for most objects": "대부분의 오브젝트에 적합합니다",
    "More detail, several times slower": "더 세밀하지만 몇 배 느립니다",
    "Another seed makes another object": "씨드가 다르면 다른 오브젝트가 만들어집니다",
    "Draw a new seed at each click on Generate": "생성을 클릭할 때마다 새 씨드를 뽑습니다",
    "How many objects to make, one after the other, of this seed and the next ones": (
        "이 씨드와 그다음 씨드들로 차례대로 만들 오브젝트의 수"
    ),
    "Keep the settings under a name, or remove those of that name": (
        "설정을 이름을 붙여 보관하거나 그 이름의 설정을 제거합니다"
    ),
    "All that can be done, without the sidebar; the search finds it here": (
        "사이드바 없이 할 수 있는 모든 것. 검색에서도 찾을 수 있습니다"
    ),
    # models
    "Choose the model that tells the trainer what the prompt looks like": (
        "프롬프트가 어떤 모습인지 트레이너에 알려 줄 모델을 선택합니다"
    ),
    "Take this model, which tells the trainer what the prompt looks like": (
        "프롬프트가 어떤 모습인지 트레이너에 알려 줄 이 모델을 사용합니다"
    ),
    "Which diffusion model guides": "안내할 확산 모델",
    "Version of the model": "모델의 버전",
    "A file, a folder or a name on Hugging Face": "파일, 폴더 또는 Hugging Face의 이름",
    "A .safetensors, .ckpt or .pt file, a folder in the layout of diffusers, or a hub name. Empty: the model chosen "
    "above": (".safetensors, .ckpt, .pt 파일, diffusers 형식의 폴더 또는 허브의 이름. 비워 두면 위에서 선택한 모델"),
    "Choose the file of a model, or its folder in the layout of diffusers (it holds model_index.json)": (
        "모델의 파일이나 diffusers 형식의 폴더(model_index.json이 들어 있음)를 선택합니다"
    ),
    "The model's file, or its folder": "모델의 파일 또는 폴더",
    "Files that the file browser shows": "파일 브라우저에 표시할 파일",
    "The small model that comes with the add-on: everyday objects, on any computer, offline": (
        "애드온에 포함된 작은 모델: 일상적인 오브젝트를 어떤 컴퓨터에서나 오프라인으로 만듭니다"
    ),
    "Anything you can describe. Needs a strong GPU and downloads several GB at first": (
        "설명할 수 있는 모든 것. 강력한 GPU가 필요하고 처음에 몇 GB를 다운로드합니다"
    ),
    "For pictures of 512 pixels": "512픽셀 그림용",
    "For pictures of 768 pixels: more memory and time": "768픽셀 그림용: 메모리와 시간이 더 필요합니다",
    "For pictures of 1024 pixels: much memory and time": "1024픽셀 그림용: 많은 메모리와 시간이 필요합니다",
    "Asks for your consent on Hugging Face first": "먼저 Hugging Face에서 동의해야 합니다",
    "Draws an object from four sides at once: fewer objects with two fronts": (
        "오브젝트를 네 방향에서 한 번에 그립니다. 앞면이 둘인 오브젝트가 줄어듭니다"
    ),
    "Its first stage, of 64 pixels. Asks for your consent on Hugging Face first": (
        "64픽셀의 첫 단계. 먼저 Hugging Face에서 동의해야 합니다"
    ),
    # advanced
    "How long to train, in hundreds of iterations. 0: as long as the quality asks for": (
        "학습할 길이(반복 100회 단위). 0: 품질에 맞는 길이"
    ),
    "What the object is trained as": "오브젝트를 학습하는 방식",
    "Instant-NGP: fast and detailed": "Instant-NGP: 빠르고 세밀합니다",
    "One network without a grid: slower and smoother": "격자가 없는 하나의 신경망: 더 느리고 더 매끄럽습니다",
    "How the diffusion model's predictions shape the object": "확산 모델의 예측이 오브젝트의 형태를 만드는 방식",
    "Score Distillation Sampling, of DreamFusion": "DreamFusion의 Score Distillation Sampling",
    "Variational Score Distillation, of ProlificDreamer: more detail, several times slower": (
        "ProlificDreamer의 Variational Score Distillation: 더 세밀하지만 몇 배 느립니다"
    ),
    "Interval Score Matching, of LucidDreamer: sharper, several times slower": (
        "LucidDreamer의 Interval Score Matching: 더 선명하지만 몇 배 느립니다"
    ),
    "Score Distillation via Inversion: sharper, several times slower": (
        "Score Distillation via Inversion: 더 선명하지만 몇 배 느립니다"
    ),
    "How closely to follow the prompt; too much makes colors glaring. 0: as the quality asks for": (
        "프롬프트를 얼마나 충실히 따를지 정합니다. 너무 크면 컬러가 지나치게 강해집니다. 0: 품질에 맞는 값"
    ),
    "Tell each side what it must not look like: fewer objects with two fronts": (
        "각 면이 닮지 말아야 할 모습을 알려 줍니다. 앞면이 둘인 오브젝트가 줄어듭니다"
    ),
    "What the trainer computes on": "트레이너가 계산에 사용하는 장치",
    "The fastest that is there": "사용할 수 있는 가장 빠른 장치",
    "The processor": "프로세서",
    "An NVIDIA or AMD graphics card": "NVIDIA 또는 AMD 그래픽 카드",
    "An Apple graphics chip": "Apple 그래픽 칩",
    "How the diffusion model's numbers are kept": "확산 모델의 숫자를 저장하는 방식",
    "32 bits a number: needs the most memory": "숫자당 32비트: 메모리가 가장 많이 필요합니다",
    "16 bits: half of the memory, and faster on a GPU": "16비트: 메모리를 절반만 사용하고 GPU에서 더 빠릅니다",
    "16 bits of another kind: as small, and nothing overflows. Newer GPUs have it": (
        "다른 방식의 16비트: 크기는 같지만 오버플로가 없습니다. 최신 GPU에서 지원합니다"
    ),
    "Make the diffusion model faster where this computer can; it starts more slowly": (
        "이 컴퓨터에서 가능하면 확산 모델을 더 빠르게 만듭니다. 시작은 더 느려집니다"
    ),
    "Take less memory of the GPU for the diffusion model, and more time": (
        "확산 모델에 GPU 메모리를 덜 쓰는 대신 시간이 더 걸립니다"
    ),
    # the object
    "Real-world height, from the base to the top": "바닥에서 꼭대기까지의 실제 높이",
    "Set the number of faces instead of taking the quality preset's": (
        "품질 프리셋의 값 대신 페이스의 수를 직접 설정합니다"
    ),
    "Triangles of the mesh at most": "메쉬의 최대 삼각형 수",
    "Width and height of the texture and of the normal map in pixels": "텍스처와 노멀 맵의 너비와 높이(픽셀)",
    "As the quality preset has it": "품질 프리셋의 값을 사용합니다",
    "Keep fine shapes that the mesh has too few faces for in a second texture": (
        "메쉬의 페이스로는 표현할 수 없는 세밀한 형태를 두 번째 텍스처에 보존합니다"
    ),
    "Show the object in the Asset Browser, tagged with the words of its prompt": (
        "프롬프트의 단어를 태그로 달아 오브젝트를 에셋 브라우저에 표시합니다"
    ),
    # jobs
    "The job that is shown below the list": "목록 아래에 표시되는 작업",
    "How far the job is": "작업이 진행된 정도",
    "Hold the job at its next step, or let it go on. It keeps its memory meanwhile": (
        "작업을 다음 단계에서 멈추거나 계속하게 합니다. 그동안 메모리는 그대로 차지합니다"
    ),
    "Stop the job and keep what it has learnt so far, to resume it later. What has grown in the scene stays": (
        "작업을 정지하고 지금까지 학습한 것을 보관하여 나중에 재개할 수 있게 합니다. 씬에서 자란 것은 남습니다"
    ),
    "Go on with the job from where it was last saved": "마지막으로 저장된 곳부터 작업을 계속합니다",
    "Make another object of the same prompt and settings, with a new random seed": (
        "같은 프롬프트와 설정에 새 랜덤 씨드로 다른 오브젝트를 만듭니다"
    ),
    "Go on with the finished job for more epochs. Its objects in the scene then get the new mesh in place": (
        "끝난 작업을 더 많은 에포크로 계속합니다. 끝나면 씬에 있는 오브젝트가 제자리에서 새 메쉬로 바뀝니다"
    ),
    "In all, with those that it has. One is 100 iterations": "이미 학습한 것을 포함한 전체 수. 하나는 반복 100회입니다",
    "Add the finished object to the scene, standing at the 3D cursor or beside an earlier one": (
        "완성된 오브젝트를 3D 커서 위치나 먼저 만든 오브젝트 옆에 세워 씬에 추가합니다"
    ),
    "The job's folder; empty: of the selected job": "작업의 폴더. 비워 두면 선택한 작업의 폴더",
    "The job's folder": "작업의 폴더",
    "Where objects of this job stand in the scene already, renew those instead of adding one": (
        "이 작업의 오브젝트가 이미 씬에 있으면 새로 추가하지 않고 그 오브젝트를 갱신합니다"
    ),
    "Add the coarse mesh of a job in training to the scene, standing at the 3D cursor": (
        "학습 중인 작업의 거친 메쉬를 3D 커서 위치에 세워 씬에 추가합니다"
    ),
    "Let a coarse mesh grow at the 3D cursor while the trainer works. Move it as you like: it becomes the finished "
    "object where it stands. A mesh that you edit stays as it is": (
        "트레이너가 작업하는 동안 3D 커서 위치에서 거친 메쉬가 자라게 합니다. 자유롭게 옮겨도 되며, 놓인 자리에서 "
        "완성된 오브젝트가 됩니다. 직접 편집한 메쉬는 그대로 남습니다"
    ),
    "Show the job's folder, with its meshes, pictures, video and log, in the file manager": (
        "메쉬, 그림, 비디오, 로그가 들어 있는 작업의 폴더를 파일 관리자에 표시합니다"
    ),
    "Delete the job's folder with its meshes, pictures and checkpoints. Finished objects in scenes stay": (
        "작업의 폴더를 메쉬, 그림, 체크포인트와 함께 삭제합니다. 씬에 있는 완성된 오브젝트는 남습니다"
    ),
    "Read the folder for jobs again": "작업 폴더를 다시 읽습니다",
    # preferences
    "Open the add-on's preferences": "애드온의 환경 설정을 엽니다",
    "Install what the trainer needs into a folder of its own. Blender's own Python stays as it is": (
        "트레이너에 필요한 것을 별도의 폴더에 설치합니다. Blender의 Python은 그대로 유지됩니다"
    ),
    "What the trainer computes on; empty: as the preferences say": (
        "트레이너가 계산에 사용하는 장치. 비워 두면 환경 설정을 따릅니다"
    ),
    "Stop the set-up. What was downloaded is kept, to go on with later": (
        "설치를 정지합니다. 다운로드한 것은 보관되어 나중에 이어서 진행할 수 있습니다"
    ),
    "Delete the trainer's environment and all of its packages. Objects and jobs stay": (
        "트레이너의 환경과 모든 패키지를 삭제합니다. 오브젝트와 작업은 남습니다"
    ),
    "Make the trainer's environment with this Python": "이 Python으로 트레이너의 환경을 만듭니다",
    "The program of that Python": "해당 Python의 프로그램",
    "The Pythons that were found on this computer": "이 컴퓨터에서 찾은 Python",
    "What fits this computer best": "이 컴퓨터에 가장 적합한 것",
    "This build of PyTorch": "이 PyTorch 빌드를 사용합니다",
    "The Python that the trainer's environment is made with, 3.11 to 3.13. Empty: the best one found": (
        "트레이너의 환경을 만들 때 사용할 Python(3.11~3.13). 비워 두면 찾은 것 중 가장 적합한 것"
    ),
    "Where the trainer's environment is made. Empty: with your own data, for every Blender of yours": (
        "트레이너의 환경을 만들 위치. 비워 두면 사용자 데이터 폴더에 만들어 모든 Blender에서 함께 사용합니다"
    ),
    "A folder with all packages as wheels, to set up without a network. Empty: download them": (
        "네트워크 없이 설치할 수 있도록 모든 패키지를 휠로 담은 폴더. 비워 두면 다운로드합니다"
    ),
    "Choose another back end, Python or folder, or make the environment anew": (
        "다른 백엔드, Python 또는 폴더를 선택하거나 환경을 새로 만듭니다"
    ),
    "How far the set-up is": "설치가 진행된 정도",
    "The python program of an environment of your own that holds the trainer's packages. Empty: the one that the "
    "add-on has set up": ("트레이너의 패키지가 들어 있는 사용자 환경의 python 프로그램. 비워 두면 애드온이 설치한 것"),
    "Where checkpoints, pictures and meshes of jobs are kept. Empty: a folder of the add-on's own": (
        "작업의 체크포인트, 그림, 메쉬를 보관할 위치. 비워 두면 애드온의 폴더"
    ),
    "A folder with diffusion models, as files or in the layout of diffusers, for the panel's list": (
        "패널의 목록에 표시할 확산 모델의 폴더. 파일이거나 diffusers 형식이어야 합니다"
    ),
}
