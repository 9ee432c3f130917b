"""Korean: what code says, with {names} for its values; no word after a value depends on how the value ends."""

from __future__ import annotations

TEXTS = {
    # expectations
    "About 1 minute": "약 1분",
    "About 2 minutes": "약 2분",
    "Many minutes": "수십 분",
    "The last one took {time}": "지난번 소요 시간 {time}",
    "Time not known yet": "소요 시간을 아직 알 수 없습니다",
    "Runs on any computer.": "모든 컴퓨터에서 실행됩니다.",
    "Needs a strong GPU. Your models.json makes it {name}.": (
        "강력한 GPU가 필요합니다. models.json에서 지정한 모델: {name}."
    ),
    "Needs a strong GPU.": "강력한 GPU가 필요합니다.",
    "Needs a strong GPU and, when first used, a download of about {size}.": (
        "강력한 GPU가 필요하고, 처음 사용할 때 약 {size}를 다운로드합니다."
    ),
    "Blender is offline. If the model is not on this computer yet:": (
        "Blender가 오프라인입니다. 모델이 아직 이 컴퓨터에 없다면:"
    ),
    # the list of jobs
    "{time} left": "{time} 남음",
    "{state}, seed {seed}": "{state}, 씨드 {seed}",
    "{state} at {percent}%": "{percent}%에서 {state}",
    "Press Z and choose Material Preview to see its texture.": (
        "텍스처를 보려면 Z를 누르고 매테리얼 미리보기를 선택하세요."
    ),
    "{state} in {time}, seed {seed}": "{state}({time}), 씨드 {seed}",
    "The object is ready and comes in when you return to Object Mode.": (
        "오브젝트가 준비되었습니다. 오브젝트 모드로 돌아가면 씬에 들어옵니다."
    ),
    "The object is ready and comes in a moment.": "오브젝트가 준비되었습니다. 곧 씬에 들어옵니다.",
    # why a button does nothing
    "Type a prompt first": "먼저 프롬프트를 입력하세요",
    "The job at work takes the memory: wait for its end": (
        "진행 중인 작업이 메모리를 사용합니다. 끝날 때까지 기다리세요"
    ),
    "Select a job first": "먼저 작업을 선택하세요",
    "This job is not running": "이 작업은 실행 중이 아닙니다",
    "Only a job that has stopped before its end can be resumed": "끝나기 전에 정지된 작업만 재개할 수 있습니다",
    "This job was not made in Blender: type its prompt above instead": (
        "이 작업은 Blender에서 만들지 않았습니다. 위에 프롬프트를 직접 입력하세요"
    ),
    "Only a finished job can be trained longer": "끝난 작업만 더 오래 학습할 수 있습니다",
    "Return to Object Mode first": "먼저 오브젝트 모드로 돌아가세요",
    "The job's folder is gone: refresh the list": "작업의 폴더가 없습니다. 목록을 새로 고치세요",
    "Cancel the job first": "먼저 작업을 취소하세요",
    "Wait until the set-up is done": "설치가 끝날 때까지 기다리세요",
    "Wait until the job is done, or cancel it": "작업이 끝날 때까지 기다리거나 취소하세요",
    "Blender is offline: allow online access, or choose a folder of wheels.": (
        "Blender가 오프라인입니다. 온라인 액세스를 허용하거나 휠 폴더를 선택하세요."
    ),
    # errors of jobs
    "Epochs that the job has already: {epochs}. Give more.": (
        "이 작업은 이미 {epochs}에포크를 학습했습니다. 더 큰 값을 입력하세요."
    ),
    "There is no readable job in {folder}: generate again.": (
        "{folder}에 읽을 수 있는 작업이 없습니다. 다시 생성하세요."
    ),
    "There is no {path}: generate again.": "다음 파일이 없습니다: {path}. 다시 생성하세요.",
    "{path} is damaged: generate again.": "파일이 손상되었습니다: {path}. 다시 생성하세요.",
    "{path} holds no usable mesh: generate again.": "{path}에 사용할 수 있는 메쉬가 없습니다. 다시 생성하세요.",
    "There is no job in {folder} any more: put it back, or retry.": (
        "{folder}에 더 이상 작업이 없습니다. 폴더를 되돌려 놓거나 다시 시도하세요."
    ),
    "{path} is no readable picture: generate again.": "그림을 읽을 수 없습니다: {path}. 다시 생성하세요.",
    "{path} holds no whole model that can guide: choose its .safetensors, .ckpt or .pt file, or the folder with "
    "model_index.json.": (
        "{path}에 안내할 수 있는 완전한 모델이 없습니다. .safetensors, .ckpt, .pt 파일이나 model_index.json이 있는 "
        "폴더를 선택하세요."
    ),
    "A trainer is at work on this job: cancel it first.": "트레이너가 이 작업을 진행하고 있습니다. 먼저 취소하세요.",
    "An error in the add-on: {error}": "애드온 오류: {error}",
    "Cannot write to {folder} ({reason}): choose another folder for jobs in the preferences.": (
        "{folder}에 쓸 수 없습니다({reason}). 환경 설정에서 다른 작업 폴더를 선택하세요."
    ),
    "Cannot write to {folder} ({reason}): free some space.": (
        "{folder}에 쓸 수 없습니다({reason}). 디스크 공간을 확보하세요."
    ),
    "The trainer ended with exit code {code} and no word: is this the trainer's Python?": (
        "트레이너가 종료 코드 {code}만 남기고 끝났습니다. 트레이너의 Python이 맞습니까?"
    ),
    "The system gives no port to talk to the trainer: {error}.": (
        "트레이너와 통신할 포트를 시스템에서 받지 못했습니다: {error}."
    ),
    "The trainer stopped: {reason}.": "트레이너가 정지했습니다: {reason}.",
    "the connection broke": "연결이 끊어졌습니다",
    "the connection ended": "연결이 끝났습니다",
    "no sign of life": "응답이 없습니다",
    "The trainer is of another version than the add-on: install the whole zip again.": (
        "트레이너와 애드온의 버전이 다릅니다. zip 전체를 다시 설치하세요."
    ),
    "The trainer ended before it was ready.": "트레이너가 준비되기 전에 끝났습니다.",
    "The trainer was started but did not answer: is this the trainer's Python?": (
        "트레이너를 시작했지만 응답이 없습니다. 트레이너의 Python이 맞습니까?"
    ),
    "What it printed is in {log} of the job's folder.": "출력한 내용은 작업 폴더의 {log}에 있습니다.",
    "The trainer was killed; the computer may have run out of memory.": (
        "트레이너가 강제 종료되었습니다. 컴퓨터의 메모리가 부족했을 수 있습니다."
    ),
    "The trainer crashed (signal {number}).": "트레이너가 비정상 종료되었습니다(시그널 {number}).",
    # the trainer's Python
    "Press Set Up Trainer in the preferences first, or set the trainer's Python there.": (
        "먼저 환경 설정에서 트레이너 설치를 누르거나 트레이너의 Python을 지정하세요."
    ),
    "Cannot run {program} ({reason}): set the trainer's Python.": (
        "{program} 파일을 실행할 수 없습니다({reason}). 트레이너의 Python을 지정하세요."
    ),
    "{path} is a folder: set the trainer's Python to the program inside it.": (
        "다음은 폴더입니다: {path}. 트레이너의 Python을 그 안의 프로그램으로 지정하세요."
    ),
    "There is no {path}: set the trainer's Python to another.": (
        "다음 파일이 없습니다: {path}. 트레이너의 Python을 다른 것으로 지정하세요."
    ),
    "{path} is no program: set the trainer's Python to another.": (
        "다음은 프로그램이 아닙니다: {path}. 트레이너의 Python을 다른 것으로 지정하세요."
    ),
    # the state of the set-up
    "The trainer, which makes the objects, is not set up yet.": (
        "오브젝트를 만드는 트레이너가 아직 설치되지 않았습니다."
    ),
    "The set-up was not finished.": "설치가 끝나지 않았습니다.",
    "This version of the add-on needs other packages.": "이 버전의 애드온에는 다른 패키지가 필요합니다.",
    "The Python that the trainer rests on is gone.": "트레이너가 사용하던 Python이 없어졌습니다.",
    "Ready: {device}, Python {version}, {size}": "준비됨: {device}, Python {version}, {size}",
    "{stage}: {done} of about {total}": "{stage}: 약 {total} 중 {done}",
    "For {back_end}: downloads nothing and takes {disk} of {free} free in {folder}": (
        "{back_end}용: 다운로드 없이 {folder}의 여유 공간 {free} 중 {disk}를 차지합니다"
    ),
    "For {back_end}: downloads about {download} and takes {disk} of {free} free in {folder}": (
        "{back_end}용: 약 {download}를 다운로드하고 {folder}의 여유 공간 {free} 중 {disk}를 차지합니다"
    ),
    "To use it, press N in the 3D view and open the DreamFusion tab": (
        "사용하려면 3D 뷰에서 N을 누르고 DreamFusion 탭을 여세요"
    ),
    "Default: {folder}": "기본값: {folder}",
    "Default: the trainer that was set up above": "기본값: 위에서 설치한 트레이너",
    "{versions} or {last}": "{versions} 또는 {last}",
    "{name}, driver {driver:g}": "{name}, 드라이버 {driver:g}",
    "no GPU that PyTorch knows was found": "PyTorch가 지원하는 GPU를 찾지 못했습니다",
    "PyTorch does not know this AMD GPU ({name})": "PyTorch가 이 AMD GPU를 지원하지 않습니다({name})",
    "the NVIDIA driver does not answer; update it to use the GPU": (
        "NVIDIA 드라이버가 응답하지 않습니다. GPU를 사용하려면 업데이트하세요"
    ),
    "{found} is too old; update it to {driver:g} or newer to use the GPU": (
        "너무 오래되었습니다: {found}. GPU를 사용하려면 {driver:g} 이상으로 업데이트하세요"
    ),
    # errors of the set-up
    "PyTorch no longer comes for Macs with an Intel processor.": (
        "PyTorch는 더 이상 Intel 프로세서를 사용하는 Mac을 지원하지 않습니다."
    ),
    "No Python {versions} was found on this computer: install one, or choose its program.": (
        "이 컴퓨터에서 Python {versions} 버전을 찾지 못했습니다. 설치하거나 프로그램을 선택하세요."
    ),
    "{program} is no Python that answers: choose a Python {versions}.": (
        "응답하는 Python이 아닙니다: {program}. Python {versions} 버전을 선택하세요."
    ),
    "{program} is Python {number}, which the trainer does not run on: choose a Python {versions}.": (
        "{program}의 버전은 Python {number}이고 트레이너가 실행되지 않습니다. Python {versions} 버전을 선택하세요."
    ),
    "{program} is a 32-bit Python, which PyTorch does not come for: choose a 64-bit one.": (
        "PyTorch가 지원하지 않는 32비트 Python입니다: {program}. 64비트를 선택하세요."
    ),
    "{program} cannot make virtual environments: install python3-venv, or choose another.": (
        "가상 환경을 만들 수 없는 Python입니다: {program}. python3-venv를 설치하거나 다른 것을 선택하세요."
    ),
    "{program} cannot make virtual environments: choose another.": (
        "가상 환경을 만들 수 없는 Python입니다: {program}. 다른 것을 선택하세요."
    ),
    "{program} makes no environment ({reason}): choose another Python.": (
        "환경을 만들지 못했습니다: {program}({reason}). 다른 Python을 선택하세요."
    ),
    "Cannot run {program} ({reason}): choose another Python.": (
        "{program} 파일을 실행할 수 없습니다({reason}). 다른 Python을 선택하세요."
    ),
    "Cannot run Blender's Python ({error}): install Python and choose it here.": (
        "Blender의 Python을 실행할 수 없습니다({error}). Python을 설치하고 여기에서 선택하세요."
    ),
    "Cancelled: resume the set-up to go on; what was downloaded is kept.": (
        "취소되었습니다. 계속하려면 설치를 재개하세요. 다운로드한 것은 보관됩니다."
    ),
    "An error in the set-up: {error}": "설치 오류: {error}",
    "The set-up ended without a word: {line}": "설치가 알림 없이 끝났습니다: {line}",
    "was it killed?": "강제로 종료되었습니까?",
    "The trainer does not run: {reason}": "트레이너가 실행되지 않습니다: {reason}",
    "exit code {code}": "종료 코드 {code}",
    "PyTorch sees no GPU that works with {back_end}: set up for the CPU.": (
        "PyTorch가 {back_end}에서 작동하는 GPU를 찾지 못했습니다. CPU용으로 설치하세요."
    ),
    "The add-on's requirements.txt is missing: install the whole zip again.": (
        "애드온의 requirements.txt가 없습니다. zip 전체를 다시 설치하세요."
    ),
    "The add-on's requirements.txt names no torch: install the whole zip again.": (
        "애드온의 requirements.txt에 torch가 없습니다. zip 전체를 다시 설치하세요."
    ),
    "There is no torch-*.whl in {folder}: choose the folder that holds all wheels.": (
        "{folder}에 torch-*.whl이 없습니다. 모든 휠이 들어 있는 폴더를 선택하세요."
    ),
    "There is no {package} for this computer and Python: choose another Python or back end.": (
        "이 컴퓨터와 Python에 맞는 패키지가 없습니다: {package}. 다른 Python이나 백엔드를 선택하세요."
    ),
    "pip could not install the packages ({reason}): see the log, then try again.": (
        "pip가 패키지를 설치하지 못했습니다({reason}). 로그를 확인하고 다시 시도하세요."
    ),
    "it gave no reason": "이유를 알 수 없음",
    "{server} cannot be reached: check the network and try again, or choose a folder of wheels.": (
        "연결할 수 없습니다: {server}. 네트워크를 확인하고 다시 시도하거나 휠 폴더를 선택하세요."
    ),
    "The server": "서버",
    "{server} does not answer: trying again.": "응답이 없어 다시 시도합니다: {server}",
    "The download broke off: check the network and try again; what is here is kept.": (
        "다운로드가 끊어졌습니다. 네트워크를 확인하고 다시 시도하세요. 받은 것은 보관됩니다."
    ),
    "The disk is full: free some space, or choose a folder on another disk.": (
        "디스크가 가득 찼습니다. 공간을 확보하거나 다른 디스크의 폴더를 선택하세요."
    ),
    "The set-up needs {needed:.1f} GB, and {free:.1f} GB are free: free some space, or choose a folder on another "
    "disk.": (
        "설치에 {needed:.1f} GB가 필요하지만 여유 공간이 {free:.1f} GB입니다. 공간을 확보하거나 다른 디스크의 "
        "폴더를 선택하세요."
    ),
    "Cannot write {path} ({reason}): choose another folder.": (
        "파일을 쓸 수 없습니다: {path}({reason}). 다른 폴더를 선택하세요."
    ),
    "Cannot write to {folder} ({reason}): choose another folder.": (
        "{folder}에 쓸 수 없습니다({reason}). 다른 폴더를 선택하세요."
    ),
    "Cannot delete {path} ({reason}): close what uses it and try again.": (
        "삭제할 수 없습니다: {path}({reason}). 사용 중인 프로그램을 닫고 다시 시도하세요."
    ),
    "{folder} holds files of something else: choose another folder.": (
        "{folder}에 다른 파일이 들어 있습니다. 다른 폴더를 선택하세요."
    ),
    "Another Blender is at work in {folder}: wait until it is done.": (
        "다른 Blender가 {folder}에서 작업하고 있습니다. 끝날 때까지 기다리세요."
    ),
}
